package fleet

import (
	"cmp"
	"strings"

	"go.uber.org/zap"

	"dmgate/codec/push"
	"dmgate/storage"
)

// variant is how a bootstrap is made.
type variant struct {
	sec  string // "userpin", "netwpin", "usernetwpin" or "userpinmac"
	form string // what stands in the document besides the account: "apn" or nothing
}

// String is the variant as an order keeps it: "userpin", "userpin+apn".
func (v variant) String() string {
	if v.form == "" {
		return v.sec
	}
	return v.sec + "+" + v.form
}

func parseVariant(text string) (v variant) {
	v.sec, v.form, _ = strings.Cut(text, "+")
	return v
}

// openSecs are the ways to sign a bootstrap of which one is chosen where upstream leaves it open, the usual one in
// front. That of userpinmac is not among them: its PIN can not be told a second time.
var openSecs = []string{push.UserPIN.String(), push.NetwPIN.String(), push.UserNetwPIN.String()}

// bestSec is how devices with this TAC take a bootstrap best, where upstream leaves it open: the usual way, unless
// another one has worked before, or is known to be the only one, and better. imsi says that the device's IMSI is known,
// without which the network's PIN can not be; pin says that the user was given a PIN, which then has to be asked for.
// form is what the document is to have besides the account.
func (f *Fleet) bestSec(tac, form string, imsi, pin bool) string {
	r, err := f.models.get(storage.TACKey(tac), f.opt.Clock(), func() (readModel, error) { return f.readTAC(tac) })
	if err != nil {
		f.opt.Log.Error("TAC not read", zap.String("tac", tac), zap.Error(err))
	}
	hint := ""
	for _, m := range r.kin {
		for _, s := range seedsFor(map[string]string{"Man": m.Man, "Mod": m.Mod, "DevTyp": m.Reference.Facts["DevTyp"]}) {
			hint = cmp.Or(hint, s.Bootstrap.Sec)
		}
	}
	best, most := openSecs[0], variantScore(&r, variant{openSecs[0], form}, cmp.Or(hint, openSecs[0]))
	for _, sec := range openSecs[1:] {
		network := sec != push.UserPIN.String()
		if network && !imsi || pin && sec == push.NetwPIN.String() {
			continue
		}
		score := variantScore(&r, variant{sec, form}, cmp.Or(hint, openSecs[0]))
		if score > most && (sec == hint || accepted(&r, sec) > 0) {
			best, most = sec, score
		}
	}
	return best
}

// variantScore is the share of bootstraps of a kind that devices of a TAC have taken, between 0 and 1, with one of each
// assumed before anything is seen, and two taken where it is the way that is hinted at. Those in another form count
// half.
func variantScore(r *readModel, v variant, hint string) float64 {
	good, all := 1.0, 2.0
	if v.sec == hint {
		good, all = good+seedWeight, all+seedWeight
	}
	if r.own == nil {
		return good / all
	}
	for i := range r.own.Learnt {
		for _, o := range r.own.Learnt[i].Variants {
			weight := 1.0
			if o.Form != v.form {
				weight = 0.5
			}
			if o.Sec == v.sec {
				good += weight * float64(o.Accepted)
				all += weight * float64(o.Accepted+o.Unanswered)
			}
		}
	}
	return good / all
}

// accepted is how many bootstraps signed like this were taken, in whatever form.
func accepted(r *readModel, sec string) (n int) {
	if r.own == nil {
		return 0
	}
	for i := range r.own.Learnt {
		for _, o := range r.own.Learnt[i].Variants {
			if o.Sec == sec {
				n += o.Accepted
			}
		}
	}
	return n
}

// secFor is how a bootstrap is signed: as its order says, or else as devices like this one take it best.
func (f *Fleet) secFor(b *Bootstrap, dev *storage.Device) string {
	if b.Sec != "" {
		return b.Sec
	}
	tac := storage.TACOf(dev.DevID)
	if tac == "" {
		return openSecs[0]
	}
	return f.bestSec(tac, formOf(b), dev.IMSI != "", b.PIN != "")
}

// formOf is what a bootstrap's document has besides the account.
func formOf(b *Bootstrap) string {
	if b.APN != "" || b.AccessPoint != nil {
		return "apn"
	}
	return ""
}
