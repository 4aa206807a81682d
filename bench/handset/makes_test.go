package handset

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// newCertificate is a certificate of a root that nobody knows, in DER.
func newCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, IsCA: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestKinds: a make comes in several models, and no two models of all makes pass for each other.
func TestKinds(t *testing.T) {
	names, kinds := map[string]bool{}, map[string]bool{}
	all := AllMakes()
	for _, m := range all {
		names[m.Name] = true
		for i := range m.models {
			d := &m.models[i]
			kinds[d.man+" "+d.mod] = true
			if d.man == "" || d.fwv == "" || len(m.models) < 2 {
				t.Errorf("%s: %d models, one of them %s %s %s", m.Name, len(m.models), d.man, d.mod, d.fwv)
			}
		}
	}
	models := 0
	for _, m := range all {
		models += len(m.models)
	}
	if len(names) != len(all) || len(kinds) != models || !slices.Equal(all[:4], Makes()) {
		t.Errorf("%d makes of %d names, %d models of %d names", len(all), len(names), models, len(kinds))
	}
}

// TestConversations: each make's own ways, session by session. A package of the script is what the server wants in one
// session; URL stands for the package server's, DER for a certificate in base64. want is what the server hears in that
// session: statuses, then results, then alerts other than 1201.
func TestConversations(t *testing.T) {
	packages := newPackages(t)
	der := newCertificate(t)
	sum := sha256.Sum256(packages.files["/app-1.bin"])
	const (
		msi = "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/"
		id  = "%7BA1%7D"
		job = "<MsiInstallJob id=\"{A1}\"><Product Version=\"3.2\"><Download><ContentURLList><ContentURL>AT/app-1.bin" +
			"</ContentURL></ContentURLList></Download><Validation><FileHash>SUM</FileHash></Validation></Product>" +
			"</MsiInstallJob>"
		msiAlert = "1226 Reversed-Domain-Name:com.microsoft.mdm.win32csp_install " + msi + id + "/DownloadInstall="
		login    = "1224 com.microsoft/MDM/LoginStatus =user"
		updated  = "1226 org.openmobilealliance.dm.firmwareupdate.downloadandupdate "
		x        = "./SCOMO/Download/X"
		seven    = "./SCOMO/Download/7"
		rbdp     = "./SCOMO/Download/RB_DP"
		inBand   = "./SCOMO/Inventory/Delivered/X"
		deployed = "./SCOMO/Inventory/Deployed"
		product  = msi + id
		fetch    = product + "/DownloadInstall"
		roots    = "./Vendor/MSFT/RootCATrustedCertificates/Root"
	)
	type session struct {
		script string
		want   []string
	}
	// steps are commands, one a line, of which each is answered with the same status.
	all := func(status string, lines ...string) (script string, want []string) {
		for _, l := range lines {
			word := strings.SplitN(l, " ", 3)
			want = append(want, word[0]+" "+word[1]+" "+status)
		}
		return strings.Join(lines, "\n"), want
	}
	text := func(kind, uri string, leaves ...string) (lines []string) {
		for _, l := range leaves {
			name, value, _ := strings.Cut(l, "=")
			lines = append(lines, fmt.Sprintf("%s %s/%s chr %s", kind, uri, name, value))
		}
		return lines
	}
	// added is a node with its leaves.
	added := func(uri string, leaves ...string) []string {
		return append([]string{"Add " + uri + " node "}, text("Add", uri, leaves...)...)
	}
	// s60 is the alert for an operation below ./SCOMO.
	s60 := func(op, code, id string) string {
		return "1226 org.openmobilealliance.dm.softwarecomponent.OperationComplete ./SCOMO/" + op +
			"=<![CDATA[<ResultCode>" + code + "</ResultCode><Identifier>" + id + "</Identifier>]]>"
	}
	// exec is lines, then an Exec that is accepted, with Get of state in the same session.
	exec := func(lines []string, uri, correlator, state, value string, more ...string) session {
		script, want := all("200", lines...)
		script += strings.TrimRight("\nExec "+uri+" "+correlator, " ") + "\nGet " + state
		want = append(want, "Exec "+uri+" 202", "Get "+state+" 200", state+"="+value)
		return session{strings.TrimLeft(script, "\n"), append(want, more...)}
	}
	get := func(uri, value string, more ...string) session {
		return session{"Get " + uri, append([]string{"Get " + uri + " 200", uri + "=" + value}, more...)}
	}
	for _, test := range []struct {
		name     string
		make     *Make
		sessions []session
	}{
		{"SCOMO by URL", S60SCOMO, []session{
			exec(added(x, "PkgID=com.example.sync", "Name=Sync", "PkgURL=AT/app-1.bin"),
				x+"/Operations/DownloadInstallInactivate", "c1", x+"/Status", "30"),
			get(deployed+"/C1/Version", "7.1",
				s60("Download/X/Operations/DownloadInstallInactivate", "1200", "com.example.sync")),
			get(deployed+"/C1/State", "10"),
			exec(nil, deployed+"/C1/Operations/Remove", "", deployed, "C0/C1"),
			get(deployed, "C0", s60("Inventory/Deployed/C1/Operations/Remove", "1200", "com.example.sync")),
			get(x+"/Operations", "Download/DownloadInstall/DownloadInstallInactive/DownloadInstallInactivate"),
		}},
		{"SCOMO and no package", S60SCOMO, []session{
			exec(added(seven, "PkgID=a", "PkgURL=AT/gone"), seven+"/Operations/DownloadInstall", "",
				"./SCOMO/Ext/LastError", "0"),
			get("./SCOMO/Ext/LastError", "1402", s60("Download/7/Operations/DownloadInstall", "1402", "a")),
			get(seven+"/Status", "20"),
		}},
		{"SCOMO in-band", S60SCOMO, []session{
			exec(added(inBand, "PkgID=b", "Name=Notes 2.4", "Data=bytes"), inBand+"/Operations/Install", "", deployed, "C0"),
			get(deployed+"/C1/Version", "2.4", s60("Inventory/Delivered/X/Operations/Install", "1200", "b")),
		}},
		{"SCOMO in-band without Data", S60SCOMO, []session{
			exec(added(inBand, "PkgID=b"), inBand+"/Operations/Install", "", deployed, "C0"),
			get(deployed, "C0", s60("Inventory/Delivered/X/Operations/Install", "1405", "b")),
		}},
		{"Download, then Install", S60SCOMO, []session{
			exec(added(x, "PkgID=d", "InstallParams=a=1;version=5.5", "PkgURL=AT/small.bin"), x+"/Operations/Download", "",
				"./SCOMO/Inventory/Delivered", ""),
			exec(nil, "./SCOMO/Inventory/Delivered/D0/Operations/Install", "", "./SCOMO/Inventory/Delivered", "D0",
				s60("Download/X/Operations/Download", "1200", "d")),
			get(deployed+"/C1/Version", "5.5", s60("Inventory/Delivered/D0/Operations/Install", "1200", "d")),
		}},
		{"an access point is given a name", S60SCOMO, []session{
			{
				"Add ./NAP/Mine node \nAdd ./NAP/Mine/Name chr Net\nAdd ./NAP/Mine/Addr chr internet\n" +
					"Add ./NAP/Mine/AuthInfo node \nAdd ./NAP/Mine/AuthInfo/A node \n" +
					"Add ./NAP/Mine/AuthInfo/A/AuthName chr me\nAdd ./NAP/Mine/Odd chr x\nGet ./NAP\nGet ./NAP/Mine/Addr",
				[]string{
					"Add ./NAP/Mine 200", "Add ./NAP/Mine/Name 200", "Add ./NAP/Mine/Addr 200", "Add ./NAP/Mine/AuthInfo 200",
					"Add ./NAP/Mine/AuthInfo/A 200", "Add ./NAP/Mine/AuthInfo/A/AuthName 200", "Add ./NAP/Mine/Odd 405",
					"Get ./NAP 200", "Get ./NAP/Mine/Addr 200", "./NAP=NAPId001/NAPId002", "./NAP/Mine/Addr=internet",
				},
			},
			{"Get ./NAP/Mine/Addr", []string{"Get ./NAP/Mine/Addr 404"}}, // the handset's own name is what counts now
			get("./NAP/NAPId002/Addr", "internet"),
			{"Delete ./NAP/NAPId002", []string{"Delete ./NAP/NAPId002 200"}},
		}},
		{"each node is the server's", MediaTek, []session{
			{
				"Add " + x + "/PkgID chr a\nExec " + x + "/Operations/DownloadInstall",
				[]string{"Add " + x + "/PkgID 404", "Exec " + x + "/Operations/DownloadInstall 404"},
			},
			exec(append(added(x, "PkgID=a", "Name=App 1.9", "PkgURL=AT/app-1.bin"), "Add "+x+"/Status int 10",
				"Add "+x+"/Operations node ", "Add "+x+"/Operations/DownloadInstall null "),
				x+"/Operations/DownloadInstall", "c3", x+"/Status", "30"),
			get(deployed+"/C1/Version", "7.1",
				"1226 urn:oma:at:scomo:1.0:OperationComplete "+x+"/Operations/DownloadInstall=1200c3"),
			{
				"Add " + x + "/Operations/Anything null \nAdd " + x + "/Odd chr a\nAdd " + x + "/EnvType node ",
				[]string{"Add " + x + "/Operations/Anything 405", "Add " + x + "/Odd 405", "Add " + x + "/EnvType 415"},
			},
			get(deployed+"/C0/Operations", "Activate/Deactive/Remove"),
			exec(nil, "./LAWMO/Operations/Unlock", "", "./LAWMO/State", "10"),
			get("./LAWMO/State", "30", "1226 urn:oma:at:lawmo:1.0:OperationComplete ./LAWMO/Operations/Unlock=1200"),
		}},
		{"FUMO in two steps", MediaTek, []session{
			exec(text("Replace", "./FUMO", "Download/PkgURL=AT/app-1.bin"), "./FUMO/Download", "c4", "./FUMO/State", "30"),
			exec(nil, "./FUMO/Update", "c5", "./FUMO/State", "60",
				"1226 org.openmobilealliance.dm.firmwareupdate.download ./FUMO/Download=200c4"),
			get("./DevDetail/FwV", "7.1", "1226 org.openmobilealliance.dm.firmwareupdate.update ./FUMO/Update=200c5"),
			get("./FUMO/State", "100"),
		}},
		{"FUMO with nothing to update to", MediaTek, []session{
			exec(nil, "./FUMO/Update", "c5", "./FUMO/State", "10"),
			get("./FUMO/State", "80", "1226 org.openmobilealliance.dm.firmwareupdate.update ./FUMO/Update=410c5"),
		}},
		{"FUMO only", Samsung, []session{
			get("./DevInfo/Ext", "DevNetworkConnType/TelephonyMcc/TelephonyMnc/OmcCode/FotaClientVer/DMClientVer/"+
				"SIMCardMcc/SIMCardMnc/AidCode/CorpId/CountryISOCode"),
			{"Get ./SCOMO", []string{"Get ./SCOMO 404"}},
			exec(text("Replace", "./FUMO", "PkgVersion=9", "DownloadAndUpdate/PkgURL=AT/short.bin"),
				"./FUMO/DownloadAndUpdate", "", "./FUMO/State", "30"),
			get("./FUMO/State", "20", updated+"./FUMO/DownloadAndUpdate=402"),
		}},
		{"MSI", Windows, []session{
			get(".", "DevInfo/DevDetail/Device/User/Vendor/SyncML", login),
			get("./Vendor/MSFT/EnterpriseDesktopAppManagement/MSI", "%7B6F2C1B9A-0D3E-4E57-9B41-7A1C2D3E4F50%7D", login),
			{"Get ./Device?list=TNDS", []string{"Get ./Device?list=TNDS 406", login}},
			{
				"Add " + fetch + " null \nExec " + fetch + " c job\nGet " + product,
				[]string{
					"Add " + fetch + " 200", "Exec " + fetch + " 400", "Get " + product + " 200", product + "=DownloadInstall", login,
				},
			},
			{
				"Exec " + fetch + " c " + job + "\nGet " + product + "/Status",
				[]string{"Exec " + fetch + " 202", "Get " + product + "/Status 200", product + "/Status=20", login},
			},
			get(product, "DownloadInstall/Name/Version/InstallDate/InstallPath/Status/LastError", login, msiAlert+"0"),
			get("./Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/"+id+"/Version", "3.2", login),
			{"Delete " + product + "\nGet " + product, []string{"Delete " + product + " 200", "Get " + product + " 404", login}},
		}},
		{"MSI that is not what it should be", Windows, []session{
			{
				"Add " + fetch + " null \nExec " + fetch + " c " + strings.Replace(job, "app-1", "small", 1),
				[]string{"Add " + fetch + " 200", "Exec " + fetch + " 202", login},
			},
			get(product+"/Status", "60", login, msiAlert+"-2146889721"),
			get(product+"/LastError", "-2146889721", login),
		}},
		{"MSI that is gone", Windows, []session{
			{
				"Add " + fetch + " null \nExec " + fetch + " c " + strings.Replace(job, "app-1", "gone", 1),
				[]string{"Add " + fetch + " 200", "Exec " + fetch + " 202", login},
			},
			get(product+"/Status", "30", login, msiAlert+"-2145844844"),
		}},
		{"certificate", Windows, []session{
			{
				"Add " + roots + "/AB/EncodedCertificate b64 DER\nAdd " + roots + "/CD/EncodedCertificate b64 bm9uZQ==\n" +
					"Get " + roots + "\nGet " + roots + "/AB/EncodedCertificate",
				[]string{
					"Add " + roots + "/AB/EncodedCertificate 200", "Add " + roots + "/CD/EncodedCertificate 500",
					"Get " + roots + " 200", "Get " + roots + "/AB/EncodedCertificate 200",
					roots + "=AB", roots + "/AB/EncodedCertificate=DER", login,
				},
			},
		}},
		{"wiped and locked, by LAWMO", RedBend, []session{
			exec(nil, "./LAWMO/Operations/FullyLock", "c1", "./LAWMO/State", "10"),
			exec(nil, "./LAWMO/Operations/Wipe", "c2", "./LAWMO/State", "10",
				"1226 urn:oma:at:lawmo:1.0:OperationComplete ./LAWMO/Operations/FullyLock=1200c1"),
			get("./LAWMO/State", "30", "1226 urn:oma:at:lawmo:1.0:OperationComplete ./LAWMO/Operations/Wipe=1201c2"),
		}},
		{"wiped and locked", Windows, []session{
			{
				"Exec ./Vendor/MSFT/RemoteLock/Lock\nExec ./Device/Vendor/MSFT/RemoteWipe/doWipe",
				[]string{"Exec ./Vendor/MSFT/RemoteLock/Lock 200", "Exec ./Device/Vendor/MSFT/RemoteWipe/doWipe 200", login},
			},
			{"Get ./User", []string{"Get ./User 200", "./User=Vendor", login}},
		}},
		{"firmware of a module", Modem, []session{
			{"Get ./DevDetail/SwV\nGet ./FUMO", []string{"Get ./DevDetail/SwV 404", "Get ./FUMO 404"}},
			exec(text("Replace", "./FwUpdate", "PkgVersion=92.1", "DownloadAndUpdate/PkgURL=AT/small.bin"),
				"./FwUpdate/DownloadAndUpdate", "c6", "./FwUpdate/State", "30"),
			get("./DevDetail/FwV", "92.1", updated+"./FwUpdate/DownloadAndUpdate=200c6"),
		}},
		{"the server is broken", Modem, []session{
			exec(text("Replace", "./FwUpdate", "Download/PkgURL=AT/broken.bin"), "./FwUpdate/Download", "",
				"./FwUpdate/State", "30"),
			get("./FwUpdate/State", "20", "1226 org.openmobilealliance.dm.firmwareupdate.download ./FwUpdate/Download=500"),
		}},
		{"all lies", Liar, []session{
			exec(text("Replace", rbdp, "PkgID=a", "PkgURL=AT/small.bin"), rbdp+"/Operations/DownloadInstall", "c7",
				rbdp+"/Status", "10"),
			get(deployed, "C0", "1226 urn:oma:at:scomo:1.0:OperationComplete "+rbdp+"/Operations/DownloadInstall=1200c7"),
			exec(text("Replace", "./FUMO", "PkgVersion=9", "DownloadAndUpdate/PkgURL=AT/small.bin"),
				"./FUMO/DownloadAndUpdate", "c8", "./FUMO/State", "10"),
			get("./FUMO/State", "10", updated+"./FUMO/DownloadAndUpdate=200c8"),
		}},
		{"not a word", Silent, []session{
			exec(text("Replace", rbdp, "PkgID=a", "PkgURL=AT/small.bin"), rbdp+"/Operations/DownloadInstall", "c9",
				rbdp+"/Status", "30"),
			{
				"Get " + rbdp + "/Status\nGet " + deployed,
				[]string{"Get " + rbdp + "/Status 200", "Get " + deployed + " 200", rbdp + "/Status=50", deployed + "=C0"},
			},
			get(rbdp+"/Status", "10"),
			get(deployed+"/C1/ID", "a"),
		}},
		{"nothing to see", Closed, []session{
			{
				"Get .\nGet ./DevInfo\nGet ./DevInfo/Mod?prop=Type\nGet ./DevDetail/Nothing\nGet ./FUMO\nGet ./DMAcc\n" +
					"Get ./SCOMO?list=TNDS\nGet ./DevDetail/LrgObj\nAdd ./FUMO node ",
				[]string{
					"Get . 425", "Get ./DevInfo 425", "Get ./DevInfo/Mod?prop=Type 406", "Get ./DevDetail/Nothing 425",
					"Get ./FUMO 425", "Get ./DMAcc 425", "Get ./SCOMO?list=TNDS 425", "Get ./DevDetail/LrgObj 200",
					"Add ./FUMO 405", "./DevDetail/LrgObj=true",
				},
			},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			real := strings.NewReplacer("AT/", packages.url+"/", "SUM", hex.EncodeToString(sum[:]),
				"DER", base64.StdEncoding.EncodeToString(der))
			s := newTestServer(t)
			h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			for i, want := range test.sessions {
				s.script, s.statuses, s.alerts = []string{real.Replace(want.script)}, nil, nil
				clear(s.results)
				if err := h.Session(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := s.statuses
				for line := range strings.Lines(want.script) {
					uri := strings.Fields(line)[1]
					if v, ok := s.results[uri]; ok && strings.HasPrefix(line, "Get") {
						got = append(got, uri+"="+v)
					}
				}
				got = append(got, slices.DeleteFunc(s.alerts, func(a string) bool { return a == "1201" })...)
				for j := range want.want {
					want.want[j] = real.Replace(want.want[j])
				}
				if !slices.Equal(got, want.want) {
					t.Errorf("session %d:\n%q\nwant\n%q", i+1, got, want.want)
				}
			}
			clean(t, h)
			if test.name == "certificate" && (!h.Trusts(Fingerprint(der)) || h.Trusts(Fingerprint(nil))) {
				t.Error("the certificate is not trusted, or any is")
			}
			if r := h.Result(); strings.HasPrefix(test.name, "wiped and locked") && (r.Wipes != 1 || r.Locks != 1) {
				t.Errorf("%d wipes, %d locks", r.Wipes, r.Locks)
			}
		})
	}
}
