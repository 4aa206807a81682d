package cp

// Logins: NAPAUTHINFO and APPAUTH to Login and back.

// Login is a name and a secret: NAPAUTHINFO of an access point or APPAUTH of an account.
type Login struct {
	Type   string // NAPAUTHINFO: PAP or CHAP. APPAUTH: BASIC, DIGEST, "DIGEST,BASIC"; empty leaves the parm out
	Name   string
	Secret string
	Nonce  string // AAUTHDATA, the first nonce, as text; without it S60 uses basic and not MD5 (trap 5)
}

// loginForm names the parms of a login. The order of its fields is the order they are written in: S60 applies a name
// and a secret to the level and type that it has read so far.
type loginForm struct{ group, level, kind, name, secret, nonce string }

var (
	napAuth = loginForm{group: "NAPAUTHINFO", kind: "AUTHTYPE", name: "AUTHNAME", secret: "AUTHSECRET"}
	appAuth = loginForm{"APPAUTH", "AAUTHLEVEL", "AAUTHTYPE", "AAUTHNAME", "AAUTHSECRET", "AAUTHDATA"}
)

func (l *Login) characteristic(f loginForm, level string) Characteristic {
	c := Characteristic{Type: f.group}
	c.Parms = appendValue(c.Parms, f.level, level)
	c.Parms = appendValue(c.Parms, f.kind, l.Type)
	c.Parms = appendValue(c.Parms, f.name, l.Name)
	c.Parms = appendValue(c.Parms, f.secret, l.Secret)
	if f.nonce != "" {
		c.Parms = appendValue(c.Parms, f.nonce, l.Nonce)
	}
	return c
}

// readLogin reads a group of form f. whole is false where there is more in it than a Login can say.
func readLogin(c *Characteristic, f loginForm) (l Login, whole, ok bool) {
	if c.Type != f.group {
		return l, false, false
	}
	ps := c.parms()
	take(&ps, f.level)
	l.Type = take(&ps, f.kind)
	l.Name = take(&ps, f.name)
	l.Secret = take(&ps, f.secret)
	if f.nonce != "" {
		l.Nonce = take(&ps, f.nonce)
	}
	return l, len(ps) == 0 && len(c.Children) == 0, true
}
