package fleet

// seed is what is known of a family of devices before the first of them is met.
type seed struct {
	Prefer []string
	Avoid  []avoid
}

// avoid is a recipe that is known not to do, and why.
type avoid struct{ Recipe, Why string }

func seedsFor(facts map[string]string) []*seed { return nil }
