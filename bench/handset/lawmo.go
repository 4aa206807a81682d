package handset

// Results of LAWMO (section 8.4).
const (
	lawmoSuccess = 1200
	lawmoWiped   = 1201
)

// States of LAWMO.
const (
	fullyLocked     = "10"
	partiallyLocked = "20"
	unlocked        = "30"
)

var lawmoAlert = &alertForm{kind: "urn:oma:at:lawmo:1.0:OperationComplete", format: formatInt, mark: "warning"}

// lawmo is ./LAWMO. State is 10 as delivered, which does not mean locked; unlock is how the family spells UnLock
// (section 8.4, trap 21).
func lawmo(alert *alertForm, unlock string) *node {
	op := func(name string, run func(*work) (int, string)) *node {
		return runs(name, &operation{status: statusAccepted, alert: alert, run: run})
	}
	return interior("LAWMO",
		leaf("State", fullyLocked).as(formatInt),
		interior("AvailableWipeList"),
		interior("LAWMOConfig", leaf("NotifyUser", "true").as(formatBool).with(mayReplace)),
		interior("Operations",
			op("FullyLock", lock(fullyLocked)), op("PartiallyLock", lock(partiallyLocked)), op(unlock, lock(unlocked)),
			op("FactoryReset", wipe(lawmoSuccess)), op("Wipe", wipe(lawmoWiped)),
		),
		interior("Ext"),
	).object("urn:oma:mo:oma-lawmo:1.0")
}

// lock returns what LAWMO's locks do: State is state afterwards.
func lock(state string) func(*work) (int, string) {
	return func(w *work) (int, string) {
		w.set(join(w.path[:len(w.path)-2], "State"), state)
		if state != unlocked {
			w.done.Locks++
		}
		return lawmoSuccess, ""
	}
}

// wipe returns what wipes do: whoever wipes a handset unlocks it, and there is nothing else that a tree shows.
func wipe(result int) func(*work) (int, string) {
	return func(w *work) (int, string) {
		w.set(join(w.path[:len(w.path)-2], "State"), unlocked)
		w.done.Wipes++
		return result, ""
	}
}
