package remote

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// demands says why a host's key is not good enough for ssh_config, whatever known_hosts has:
// RevokedHostKeys, RequiredRSASize, CASignatureAlgorithms.
func (s *settings) demands(shown ssh.PublicKey) error {
	if bits := rsaBits(shown); bits > 0 && bits < s.leastRSA {
		return fmt.Errorf("which has %d bits where RequiredRSASize is %d", bits, s.leastRSA)
	}
	if c, ok := shown.(*ssh.Certificate); ok && s.caAlgorithms != nil && !slices.Contains(s.caAlgorithms, c.Signature.Format) {
		return fmt.Errorf("whose certificate is signed with %s, which is not among CASignatureAlgorithms", c.Signature.Format)
	}
	if s.revokedHostKeys == "" {
		return nil
	}
	revoked, err := isRevoked(s.revokedHostKeys, shown)
	if err != nil { // ssh_config(5): then all are refused
		return fmt.Errorf("and RevokedHostKeys %s cannot be asked about it: %w", s.revokedHostKeys, err)
	}
	if revoked {
		return fmt.Errorf("which is revoked in %s", s.revokedHostKeys)
	}
	return nil
}

// isRevoked looks a host's key up in a file of RevokedHostKeys: one public key a line, or a key
// revocation list (KRL), which ssh-keygen reads.
func isRevoked(file string, shown ssh.PublicKey) (bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	if bytes.HasPrefix(text, []byte("SSHKRL\n\x00")) {
		return isInKRL(file, shown)
	}
	keys := []ssh.PublicKey{shown}
	if c, ok := shown.(*ssh.Certificate); ok {
		keys = append(keys, c.Key, c.SignatureKey)
	}
	for line := range bytes.Lines(text) {
		listed, _, _, _, err := ssh.ParseAuthorizedKey(line)
		if err == nil && slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return sameKey(k, listed) }) {
			return true, nil
		}
	}
	return false, nil
}

// isInKRL asks `ssh-keygen -Q`, which ends with 1 where the key is revoked.
func isInKRL(file string, shown ssh.PublicKey) (bool, error) {
	shownIn, err := os.CreateTemp("", "provision-host-key-*.pub")
	if err != nil {
		return false, err
	}
	defer os.Remove(shownIn.Name())
	_, err = shownIn.Write(ssh.MarshalAuthorizedKey(shown))
	if err = errors.Join(err, shownIn.Close()); err != nil {
		return false, err
	}
	out, err := exec.Command("ssh-keygen", "-Q", "-f", file, shownIn.Name()).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && bytes.Contains(out, []byte("REVOKED")) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ssh-keygen -Q: %w: %s", err, bytes.TrimSpace(out))
	}
	return false, nil
}

func rsaBits(key ssh.PublicKey) int {
	if c, ok := key.(*ssh.Certificate); ok {
		key = c.Key
	}
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if k, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok {
			return k.N.BitLen()
		}
	}
	return 0
}

// accepted leaves out what accepts does not take.
func (s *settings) accepted(ring keyring) keyring {
	var keys []key
	for _, k := range ring.keys {
		signer, err := s.accepts(k.signer)
		if err != nil {
			ring.skipped = append(ring.skipped, k.name+": "+err.Error())
			continue
		}
		k.signer = signer
		keys = append(keys, k)
	}
	ring.keys = keys
	return ring
}

// accepts returns the key as it may be used: PubkeyAcceptedAlgorithms and RequiredRSASize hold
// for our own keys. An RSA key signs with more than one algorithm.
func (s *settings) accepts(signer ssh.Signer) (ssh.Signer, error) {
	public := signer.PublicKey()
	if bits := rsaBits(public); bits > 0 && bits < s.leastRSA {
		return nil, fmt.Errorf("has %d bits where RequiredRSASize is %d", bits, s.leastRSA)
	}
	if s.keyAlgorithms == nil {
		return signer, nil
	}
	algorithms := []string{public.Type()}
	switch public.Type() {
	case ssh.KeyAlgoRSA:
		algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	case ssh.CertAlgoRSAv01:
		algorithms = []string{ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01}
	}
	list := strings.Join(s.keyAlgorithms, ",")
	algorithms = slices.DeleteFunc(algorithms, func(name string) bool { return !matchList(list, name) })
	if len(algorithms) == 0 {
		return nil, fmt.Errorf("%s is not among PubkeyAcceptedAlgorithms", public.Type())
	}
	if several, ok := signer.(ssh.AlgorithmSigner); ok && public.Type() == ssh.KeyAlgoRSA {
		return ssh.NewSignerWithAlgorithms(several, algorithms)
	}
	return signer, nil
}
