package recipe

import (
	"time"

	"dmgate/storage"
)

// Way is a recipe on a device: its names stand for nodes there.
type Way struct {
	Recipe     *Recipe
	Names      map[string]string // URIs by the names that the recipe gives them
	Stage      int               // of the recipe's parts the one that is under way, from 0; see Next
	Takes      Takes
	Evidence   []Evidence
	Confidence Confidence
}

// Way is a way as a job keeps it: by the name of its recipe, its Names and its Stage. It is nil where the rules have no
// such recipe, or one without that stage, any more.
func (s *Set) Way(recipe string, names map[string]string, stage int) *Way { return nil }

// Values is what templates are filled with. Which names there are, and who gives them, is in the table of values.go:
// "package.url", "apn.address", ...
type Values struct {
	Text    map[string]string
	Payload func() ([]byte, error) // the data of the package, for a recipe that takes them inline; nil where there are none
}

// Locate says which nodes the way works on, as far as that depends on the order: the component with the identifier
// {software.id}, for example. It is a function of the answers so far, by the URI that was asked (see Gather): as long as
// the verdict is Pending the commands in more are to be sent, and it is called again with their answers as well. Done
// comes with all names, which are to be the way's Names from then on; so it is called once, with no answers, of a way
// that needs no such thing. Failed says that the device has no such node, or does not show it.
func (w *Way) Locate(v Values, answers map[string]storage.Answer) (more []storage.Command, names map[string]string, verdict Verdict) {
	return nil, w.Names, Verdict{State: Done}
}

// Commands is what is to be sent in this stage, as one task. Its error is a *ValueError: a value is missing, or can not
// be sent like that.
func (w *Way) Commands(v Values) ([]storage.Command, error) { return nil, nil }

// Judge says what the answers to the commands of this stage mean so far, in the order in which they came. Next means
// that the stage is done and another one follows: Stage is to be one more.
func (w *Way) Judge(commands []storage.Command, answers []storage.Answer) Verdict { return Verdict{} }

// Within is how long a result may take that comes late. It is never zero.
func (w *Way) Within() time.Duration { return 24 * time.Hour }

// Poll asks how far the device has come where the result is late. It is empty for a stage of which nothing can be asked.
func (w *Way) Poll() []storage.Command { return nil }

// PollEvery is how long to wait before each Poll, and PollMost how often to ask at most.
func (w *Way) PollEvery() time.Duration { return time.Hour }
func (w *Way) PollMost() int            { return 24 }

// JudgePoll says what the answers to a Poll mean. Later: ask again. Done and Next as in Judge.
func (w *Way) JudgePoll(commands []storage.Command, answers []storage.Answer) Verdict {
	return Verdict{}
}

// Verify says whether what the way was to do is to be seen on the device. As Locate it is a function of the answers so
// far; Pending says that more is to be asked. Done says that it is verified, or, with nothing asked, that there is
// nothing to be read back. Later says that it is not so, or not yet: with all answers asked anew it may be, and where it
// is not within VerifyWithin it has failed.
func (w *Way) Verify(v Values, answers map[string]storage.Answer) (more []storage.Command, verdict Verdict) {
	return nil, Verdict{State: Done}
}

// VerifyWithin is how long what was done may take to be seen.
func (w *Way) VerifyWithin() time.Duration { return time.Hour }

// Verifies says whether there is anything to be read back.
func (w *Way) Verifies() bool { return false }

// Gather adds answers to Gets by the URI that was asked, for Locate and Verify. The parts of a large value are joined.
func Gather(into map[string]storage.Answer, commands []storage.Command, answers []storage.Answer) {}
