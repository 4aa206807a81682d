// Package baseline is what the codec is measured against: the messages of the corpus, the least work that passing over
// one takes, and the standard library's way of reading and writing one. Tests and bench use it, the gateway does not.
package baseline

import "embed"

// Names are the messages of the corpus: packages 1, 3 and 4 of a session.
var Names = []string{"p1", "p3", "p4"}

//go:embed corpus
var corpus embed.FS

// File is a file of the corpus. Each message is there as ".xml", as ".wbxml", and as WBXML with all strings inline
// (".inl.wbxml") and with a string table (".st.wbxml").
func File(name string) ([]byte, error) { return corpus.ReadFile("corpus/" + name) }
