package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"dmgate/gateway/recipe"
)

type recipesCmd struct {
	Check recipesCheckCmd `cmd:"" help:"Read rules files over the embedded ones and say what is wrong with them, by line."`
	List  recipesListCmd  `cmd:"" help:"List the recipes: what they do, in which order, and where they stand."`
	Show  recipesShowCmd  `cmd:"" help:"Print a recipe as it stands in its file, to start one of your own from."`
}

type recipesCheckCmd struct {
	Paths []string `arg:"" optional:"" help:"Rules files or folders of them; none checks the embedded rules." type:"path"`
}

// Run checks rules. Each path is read by itself: what two folders say of one recipe is no fault.
func (c *recipesCheckCmd) Run() error { return c.run(os.Stdout) }

func (c *recipesCheckCmd) run(out io.Writer) error {
	if len(c.Paths) == 0 {
		c.Paths = []string{""}
	}
	faults := 0
	for _, path := range c.Paths {
		for _, err := range recipe.Check(path) {
			fmt.Fprintln(out, err)
			faults++
		}
	}
	switch faults {
	case 0:
		fmt.Fprintln(out, "the rules are sound")
		return nil
	case 1:
		return errors.New("one fault in the rules")
	}
	return fmt.Errorf("%d faults in the rules", faults)
}

type rulesFlag struct {
	Rules string `help:"Folder of rules that go over the embedded ones, as in the configuration." type:"path"`
}

type recipesListCmd struct{ rulesFlag }

// Run lists the recipes by what they do, those that are tried first before the others.
func (c *recipesListCmd) Run() error { return c.run(os.Stdout) }

func (c *recipesListCmd) run(out io.Writer) error {
	set, err := recipe.Load(c.Rules)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DOES\tRANK\tRECIPE\tTITLE\tFILE")
	for _, name := range recipe.Names {
		for _, r := range set.Recipes() {
			if slices.Contains(r.Does, name) {
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", name, r.Rank, r.Name, r.Title, r.Where())
			}
		}
	}
	return w.Flush()
}

type recipesShowCmd struct {
	rulesFlag
	Name string `arg:"" help:"Name of the recipe."`
}

// Run prints a recipe.
func (c *recipesShowCmd) Run() error { return c.run(os.Stdout) }

func (c *recipesShowCmd) run(out io.Writer) error {
	set, err := recipe.Load(c.Rules)
	if err != nil {
		return err
	}
	r := set.Find(c.Name)
	if r == nil {
		return fmt.Errorf("there is no recipe %q; dmgate recipes list has them all", c.Name)
	}
	fmt.Fprintf(out, "# %s\nrecipes:\n%s", r.Where(), r.Text)
	return nil
}
