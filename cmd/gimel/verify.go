package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// verify counts as a page would, through whatever stands in front of the server:
// an event twice and another once, which have to be one participant and one
// conversion. Then it removes its experiment.
func verify(arguments []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gimel verify", flag.ContinueOnError)
	flags.SetOutput(stdout)
	base := flags.String("url", "http://127.0.0.1:8000", "`URL` of the site")
	path := flags.String("track-path", "/track", "`PATH` that takes events")
	address := flags.String("address", "", "unix:/`PATH` or HOST:PORT to connect to instead of the URL's host")
	authority := flags.String("ca-file", "", "PEM `FILE` to check the site's certificate with")
	keyFile := flags.String("api-key-file", "", "`FILE` with the API key")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 || *keyFile == "" {
		return errors.New("verify: wants --api-key-file, and no arguments")
	}
	key, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{}}
	if *address != "" {
		transport.DialContext = dialer(*address)
	}
	if *authority != "" {
		pem, err := os.ReadFile(*authority)
		if err != nil {
			return err
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s: no certificate in it", *authority)
		}
	}
	random := make([]byte, 8)
	rand.Read(random) // never fails (crypto/rand since Go 1.24)
	p := proof{
		client:     &http.Client{Transport: transport, Timeout: 10 * time.Second},
		base:       *base,
		path:       *path,
		key:        string(bytes.TrimSpace(key)),
		experiment: fmt.Sprintf("%s-%d-%s", proofNamespace, time.Now().Unix(), hex.EncodeToString(random)),
	}
	if err := p.prove(context.Background()); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "one participant and one conversion, each counted once")
	return nil
}

// proofNamespace keeps the experiments of verify from everybody's.
const proofNamespace = "provision-verify"

// proof is one verification against one site.
type proof struct {
	client     *http.Client
	base, path string
	key        string
	experiment string
}

func (p proof) prove(ctx context.Context) (err error) {
	if err := p.removeLeft(ctx); err != nil {
		return err
	}
	// Also when the counts are wrong.
	defer func() { err = errors.Join(err, p.remove(ctx, p.experiment)) }()
	for _, event := range []string{"participate", "participate", "goal"} {
		if err := p.track(ctx, event); err != nil {
			return err
		}
	}
	trials, successes, err := p.counts(ctx)
	if err != nil {
		return err
	}
	if trials != 1 || successes != 1 {
		return fmt.Errorf("an event sent twice and one sent once are counted %d and %d, want 1 and 1", trials, successes)
	}
	return nil
}

func (p proof) track(ctx context.Context, event string) error {
	answer, err := p.ask(ctx, http.MethodGet, p.path, url.Values{
		"namespace": {proofNamespace}, "experiment": {p.experiment}, "variant": {"blue"},
		"event": {event}, "uuid": {p.experiment + "." + event},
	})
	if err != nil {
		return err
	}
	if origin := answer.header.Get("Access-Control-Allow-Origin"); origin != "*" {
		return fmt.Errorf("%s: Access-Control-Allow-Origin is %q: browsers would not see the answer", p.path, origin)
	}
	return nil
}

// counts are those of the experiment: participants, and conversions.
func (p proof) counts(ctx context.Context) (trials, successes int64, err error) {
	experiments, err := p.experiments(ctx, url.Values{"scope": {p.experiment}})
	if err != nil {
		return 0, 0, err
	}
	for _, experiment := range experiments {
		for _, goal := range experiment.Goals {
			for _, result := range goal.Results {
				if experiment.Experiment == p.experiment {
					trials, successes = trials+result.Trials, successes+result.Successes
				}
			}
		}
	}
	return trials, successes, nil
}

// experiment is one as the server counts it.
type experiment struct {
	Experiment string
	Goals      []struct {
		Results []struct{ Successes, Trials int64 }
	}
}

func (p proof) experiments(ctx context.Context, query url.Values) ([]experiment, error) {
	query.Set("namespace", proofNamespace)
	answer, err := p.ask(ctx, http.MethodGet, "/experiments", query)
	if err != nil {
		return nil, err
	}
	var experiments []experiment
	if err := json.Unmarshal(answer.body, &experiments); err != nil {
		return nil, fmt.Errorf("/experiments: %w", err)
	}
	return experiments, nil
}

func (p proof) remove(ctx context.Context, experiment string) error {
	_, err := p.ask(ctx, http.MethodDelete, "/delete", url.Values{"namespace": {proofNamespace}, "experiment": {experiment}})
	return err
}

// abandoned is the age at which an experiment of verify is one of a run that was killed: no run
// takes so long.
const abandoned = time.Hour

// removeLeft removes the experiments of runs that did not come to their end. Others may be at
// work now.
func (p proof) removeLeft(ctx context.Context) error {
	experiments, err := p.experiments(ctx, url.Values{})
	if err != nil {
		return err
	}
	for _, left := range experiments {
		var began int64
		if _, err := fmt.Sscanf(left.Experiment, proofNamespace+"-%d-", &began); err != nil || time.Since(time.Unix(began, 0)) < abandoned {
			continue
		}
		if err := p.remove(ctx, left.Experiment); err != nil {
			return err
		}
	}
	return nil
}

type answer struct {
	header http.Header
	body   []byte
}

// ask makes a request that has to be answered 200. The key goes in a header.
func (p proof) ask(ctx context.Context, method, path string, query url.Values) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("X-Api-Key", p.key)
	response, err := p.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return answer{response.Header, body}, nil
}
