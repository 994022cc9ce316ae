package inventory

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"provision/internal/recipe"
)

const marker = "marker-7f3a correct horse"

// ageKey makes a key, and returns its file and its public key.
func ageKey(t *testing.T) (file, public string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "age.key")
	if err := os.WriteFile(file, []byte("# created: today\n"+identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, identity.Recipient().String()
}

// sshKey does the same for ssh, with a passphrase if one is given.
func sshKey(t *testing.T, passphrase string) (file, public string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func keys(t *testing.T, files ...string) *Keys {
	t.Helper()
	k := &Keys{}
	for _, file := range files {
		if err := k.Add(file); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func encrypt(t *testing.T, value string, public ...string) Ciphertext {
	t.Helper()
	recipients, err := ParseRecipients(public)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Encrypt(recipe.NewSecret(value), recipients)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEncryptForAgeAndSSHKeys(t *testing.T) {
	ageFile, agePublic := ageKey(t)
	sshFile, sshPublic := sshKey(t, "")
	text := encrypt(t, marker, agePublic, sshPublic+" anna@laptop")
	for _, file := range []string{ageFile, sshFile} {
		secret, err := keys(t, file).Decrypt(text)
		if err != nil || secret.Reveal() != marker {
			t.Errorf("%s: %v", file, err)
		}
	}
	if strings.Contains(string(text), "marker") {
		t.Error("it is not encrypted")
	}
}

func TestSSHKeyWithAPassphrase(t *testing.T) {
	file, public := sshKey(t, "open sesame")
	_, other := ageKey(t)
	mine, others := encrypt(t, marker, public), encrypt(t, marker, other)

	asked := 0
	k := &Keys{Passphrase: func(string) ([]byte, error) { asked++; return []byte("open sesame"), nil }}
	if err := k.Add(file); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Decrypt(others); !errors.Is(err, ErrNoKey) || asked != 0 {
		t.Errorf("another's secret: %v; asked %d times for the passphrase", err, asked)
	}
	for range 2 {
		if secret, err := k.Decrypt(mine); err != nil || secret.Reveal() != marker {
			t.Error(err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times for the passphrase, want once", asked)
	}
	if _, err := keys(t, file).Decrypt(mine); err == nil || !strings.Contains(err.Error(), "there is no terminal to ask for it") {
		t.Errorf("without a terminal: %v", err)
	}
}

func TestKeysRefuse(t *testing.T) {
	folder := t.TempDir()
	ageFile, agePublic := ageKey(t)
	private, err := os.ReadFile(ageFile)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for file, want := range map[string]string{
		write("open", string(private), 0o644):             "has the mode 0644: others can read this private key",
		write("public", agePublic, 0o600):                 "is a public key",
		write("public.ssh", "ssh-ed25519 AAAA", 0o600):    "is a public key",
		write("broken", string(private)[:60]+"\n", 0o600): "is not a private key",
		write("broken.pem", "-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n-----END OPENSSH PRIVATE KEY-----\n", 0o600): "is not a private key for age",
		filepath.Join(folder, "none"): "no such file",
		folder:                        "is a directory",
	} {
		err := new(Keys).Add(file)
		if err == nil || err.Error() != file+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET-KEY") {
			t.Errorf("the key is in the error: %v", err)
		}
	}
}

// inventoryWith returns an inventory that has a text at graphite.password, for one host.
func inventoryWith(t *testing.T, variable string, text Ciphertext, secrets Decrypter) *Inventory {
	t.Helper()
	lines := strings.Join(block(text, 8), "\n")
	return parse(t, "hosts:\n  web1:\n    vars:\n      "+variable+": |\n"+lines+"\n", secrets)
}

func TestValuesDecrypt(t *testing.T) {
	file, public := ageKey(t)
	text := encrypt(t, marker, public)
	k := keys(t, file)
	inv := inventoryWith(t, "graphite.password", text, k)
	values, err := inv.Hosts()[0].Values("graphite", known(), nil)
	if err != nil || values.Secret("password").Reveal() != marker {
		t.Errorf("got %v", err)
	}
	inv = inventoryWith(t, "graphite.user", text, k)
	values, err = inv.Hosts()[0].Values("graphite", known(), nil)
	if err != nil || values.String("user") != marker {
		t.Errorf("a text: got %v", err)
	}
	if known := k.Secrets(); len(known) != 1 || known[0].Reveal() != marker {
		t.Errorf("%d secrets to mask, want the one that was decrypted", len(known))
	}
}

func TestADecryptedValueIsInNoError(t *testing.T) {
	file, public := ageKey(t)
	stranger, _ := ageKey(t)
	good := encrypt(t, marker, public)
	tests := map[string]*Inventory{
		"refused by its check":   inventoryWith(t, "graphite.password", encrypt(t, marker+"\n"+marker, public), keys(t, file)),
		"not one of the choices": inventoryWith(t, "graphite.tls", good, keys(t, file)),
		"no key":                 inventoryWith(t, "graphite.password", good, nil),
		"no keys":                inventoryWith(t, "graphite.password", good, &Keys{}),
		"another's key":          inventoryWith(t, "graphite.password", good, keys(t, stranger)),
	}
	for name, inv := range tests {
		_, err := inv.Hosts()[0].Values("graphite", known(), nil)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "hosts.yaml:4:") {
			t.Errorf("%s: no place: %v", name, err)
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", err, err, err, hintOf(err)); strings.Contains(shown, "marker") {
			t.Errorf("%s: %s", name, shown)
		}
	}
	if _, err := tests["another's key"].Hosts()[0].Values("graphite", known(), nil); !strings.Contains(hintOf(err), "private key of one of the recipients") {
		t.Errorf("hint %q", hintOf(err))
	}
	for _, name := range []string{"no key", "no keys", "another's key"} {
		if _, err := tests[name].Hosts()[0].Values("graphite", known(), nil); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v is not ErrNoKey", name, err)
		}
	}
}

func TestASecretThatNobodyAsksForNeedsNoKey(t *testing.T) {
	_, public := ageKey(t)
	inv := inventoryWith(t, "graphite.password", encrypt(t, marker, public), nil)
	if _, err := inv.Hosts()[0].Values("nginx", known(), nil); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	extra, err := ParseExtra("graphite.password=@"+file, known())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inv.Hosts()[0].Values("graphite", known(), []Extra{extra}); err != nil {
		t.Error(err)
	}
}
