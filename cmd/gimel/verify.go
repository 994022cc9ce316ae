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

	"golang.org/x/sync/errgroup"
)

// verify counts as a page would, through whatever stands in front of the server:
// an event twice and another once, which have to be one participant and one
// conversion, and a row each where there is an event log. Then it removes its
// experiment, and the rows.
func verify(arguments []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gimel verify", flag.ContinueOnError)
	flags.SetOutput(stdout)
	base := flags.String("url", "http://127.0.0.1:8000", "`URL` of the site")
	path := flags.String("track-path", "/track", "`PATH` that takes events")
	address := flags.String("address", "", "unix:/`PATH` or HOST:PORT to connect to instead of the URL's host")
	authority := flags.String("ca-file", "", "PEM `FILE` to check the site's certificate with")
	keyFile := flags.String("api-key-file", "", "`FILE` with the API key")
	events := flags.Int("events", 1, "`NUMBER` of participants, each sent twice")
	eventLog := flags.String("event-log", "", "unix:/`PATH` or HOST:PORT of gimel eventlog's --private-listen: ask it for the rows")
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
	transport := &http.Transport{TLSClientConfig: &tls.Config{}, MaxIdleConnsPerHost: senders}
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
		events:     *events,
		eventLog:   *eventLog,
		experiment: fmt.Sprintf("%s-%d-%s", proofNamespace, time.Now().Unix(), hex.EncodeToString(random)),
	}
	if err := p.prove(context.Background()); err != nil {
		return err
	}
	text := "one participant and one conversion, each counted once"
	if *events != 1 {
		text = fmt.Sprintf("%d participants and one conversion, each counted once", *events)
	}
	if *eventLog != "" {
		text += ", each one row"
	}
	fmt.Fprintln(stdout, text)
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
	events     int
	eventLog   string
}

func (p proof) prove(ctx context.Context) (err error) {
	if err := p.removeLeft(ctx); err != nil {
		return err
	}
	// Also when the counts are wrong.
	defer func() { err = errors.Join(err, p.remove(ctx, p.experiment)) }()
	if err := p.send(ctx); err != nil {
		return err
	}
	trials, successes, err := p.counts(ctx)
	if err != nil {
		return err
	}
	// Of many an original's HyperLogLog has an estimate; the rows are exact.
	if estimated := p.events > 1 && p.eventLog != ""; !estimated && trials != int64(p.events) || successes != 1 {
		return fmt.Errorf("%d events sent twice and one sent once are counted %d and %d, want %d and 1", p.events, trials, successes, p.events)
	}
	if p.eventLog == "" {
		return nil
	}
	return p.proveRows(ctx)
}

// senders are how many send at once.
const senders = 16

// send sends participants, each twice, and one goal.
func (p proof) send(ctx context.Context) error {
	group, all := errgroup.WithContext(ctx)
	group.SetLimit(senders)
	for i := range p.events {
		group.Go(func() error {
			for range 2 {
				if err := p.track(all, "participate", i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return p.track(ctx, "goal", 0)
}

// rowsWithin is how long the event log may take for what nothing else delays.
const rowsWithin = 30 * time.Second

// proveRows waits until nothing of the experiment is left in the log, and sees
// that each event has one row.
func (p proof) proveRows(ctx context.Context) error {
	for deadline := time.Now().Add(rowsWithin); ; time.Sleep(200 * time.Millisecond) {
		counters, err := recounted(ctx, p.eventLog, url.Values{"namespace": {proofNamespace}, "experiment": {p.experiment}}, answerWithin)
		if err != nil {
			return fmt.Errorf("event log: %w", err)
		}
		var rows, waiting int64
		for _, counter := range counters {
			rows, waiting = rows+counter.Rows, waiting+counter.Waiting
			if counter.Missing != 0 || counter.More != 0 || counter.Problem {
				return fmt.Errorf("event log: %s", counter.Text)
			}
		}
		if waiting == 0 && rows == int64(p.events)+1 {
			return nil
		}
		if waiting == 0 || time.Now().After(deadline) {
			return fmt.Errorf("event log: %d events sent twice and one sent once have %d rows, and %d wait; want %d", p.events, rows, waiting, p.events+1)
		}
	}
}

func (p proof) track(ctx context.Context, event string, visitor int) error {
	answer, err := p.ask(ctx, http.MethodGet, p.path, url.Values{
		"namespace": {proofNamespace}, "experiment": {p.experiment}, "variant": {"blue"},
		"event": {event}, "uuid": {fmt.Sprintf("%s.%s.%d", p.experiment, event, visitor)},
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
	named := url.Values{"namespace": {proofNamespace}, "experiment": {experiment}}
	if _, err := p.ask(ctx, http.MethodDelete, "/delete", named); err != nil || p.eventLog == "" {
		return err
	}
	// Behind it: now nothing of it comes any more.
	if _, err := askEventLog(ctx, http.MethodDelete, p.eventLog, "/rows", named, answerWithin); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	return nil
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
