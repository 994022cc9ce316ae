package bigquerytest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
)

// newKey is the private key of a service account, in PEM.
func newKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// Credentials are those of a service account, as Google would give them.
func (s *Server) Credentials() []byte {
	s.t.Helper()
	credentials, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": Project, "private_key_id": "0123456789abcdef", "private_key": string(s.key),
		"client_email": "gimel@" + Project + ".iam.gserviceaccount.com", "client_id": "1", "token_uri": s.URL + "/token",
	}, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	return credentials
}

// token gives one to who shows an assertion (RFC 7523).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || r.FormValue("assertion") == "" {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600})
}
