package handset

// scomoForm is what SCOMO is like in a family: how results are reported, and how the operations are spelt (trap 21).
type scomoForm struct {
	alert      *alertForm // nil for silence
	deactivate string
	install    []string // operations that install what is not to be active
}

// operation is one that does run, and shows start meanwhile.
func (f *scomoForm) operation(start func(*work), run func(*work) (int, string)) *operation {
	return &operation{status: statusAccepted, alert: f.alert, start: start, run: run}
}

// operations is Operations of Download/X.
func (f *scomoForm) operations() *node {
	n := interior("Operations",
		runs("Download", f.operation(downloading, deliver(scomoLeaves, f.delivered))),
		runs("DownloadInstall", f.operation(downloading, deploy(scomoLeaves, false))),
	)
	for _, name := range f.install {
		n.kids = append(n.kids, runs(name, f.operation(downloading, deploy(scomoLeaves, true))))
	}
	return n
}

// delivered is .../Inventory/Delivered/X without what describes its package.
func (f *scomoForm) delivered(name string) *node {
	return interior(name,
		leaf("Status", scomoIdle).as(formatInt), leaf("State", scomoDelivered).as(formatInt),
		interior("Operations",
			runs("Install", f.operation(nil, deployDelivered(scomoLeaves, false))),
			runs("InstallInactive", f.operation(nil, deployDelivered(scomoLeaves, true))),
			runs("Remove", f.operation(nil, undeploy)),
		),
	)
}

// component is .../Inventory/Deployed/X.
func (f *scomoForm) component(name string, c *Component) *node {
	state := scomoActive
	if c.Inactive {
		state = scomoInactive
	}
	return interior(name,
		leaf("ID", c.ID), leaf("PkgIDRef", c.ID), leaf("Name", c.Name), leaf("Description", ""),
		leaf("Version", c.Version), leaf("State", state).as(formatInt), leaf("Status", scomoIdle).as(formatInt),
		interior("Operations",
			runs("Activate", f.operation(nil, setState("State", scomoActive))),
			runs(f.deactivate, f.operation(nil, setState("State", scomoInactive))),
			runs("Remove", f.operation(nil, undeploy)),
		),
	)
}

// deployed is the inventory of SCOMO.
func (f *scomoForm) inventory() inventory {
	return inventory{path: []string{"SCOMO", "Inventory", "Deployed"}, component: f.component}
}

// root is ./SCOMO with one component that is there from the beginning.
func (f *scomoForm) root(download, delivered *node, first *Component, ext ...*node) *node {
	return interior("SCOMO",
		download,
		interior("Inventory", delivered, interior("Deployed", f.component("C0", first))),
		interior("Ext", ext...),
	).object("urn:oma:mo:oma-scomo:1.0")
}
