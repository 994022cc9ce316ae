package acceptance

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newClient accepts the certificate that the host has made.
func newClient() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256,
		},
	}
}

const eventsPerSecond = 500

// load sends events at a constant rate, each once; or each until it is acknowledged, as
// the client does.
type load struct {
	client     *http.Client
	base       string
	experiment string
	again      bool

	sent, other, acknowledged atomic.Int64
	slowest                   atomic.Int64 // of the answers 200: nanoseconds
	trouble                   sync.Map     // what went wrong → how often
	ended                     chan struct{}
	done                      chan struct{}
}

func startLoad(t *testing.T, g gimelHost, experiment string, again bool) *load {
	t.Helper()
	l := &load{
		client: newClient(), base: g.site() + "/choice", experiment: experiment, again: again,
		ended: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

func (l *load) run() {
	defer close(l.done)
	var group sync.WaitGroup
	defer group.Wait()
	tick := time.NewTicker(time.Second / eventsPerSecond)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-tick.C:
			number := l.sent.Add(1)
			group.Go(func() { l.send(number) })
		}
	}
}

// event sends the participation of one visitor, once.
func (l *load) event(number int64) error {
	return l.ask(url.Values{
		"namespace": {"load"}, "experiment": {l.experiment}, "event": {"participate"},
		"variant": {[]string{"blue", "red"}[number%2]}, "uuid": {fmt.Sprintf("visitor-%d", number)},
	})
}

// send sends it, and again where that is asked for.
func (l *load) send(number int64) {
	for try := 0; try < 100; try++ {
		began := time.Now()
		err := l.event(number)
		if err == nil {
			l.acknowledged.Add(1)
			if took := int64(time.Since(began)); took > l.slowest.Load() {
				l.slowest.Store(took)
			}
			return
		}
		l.other.Add(1)
		count, _ := l.trouble.LoadOrStore(err.Error(), new(atomic.Int64))
		count.(*atomic.Int64).Add(1)
		if !l.again {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (l *load) ask(query url.Values) error {
	response, err := l.client.Get(l.base + "?" + query.Encode())
	if err != nil {
		return err.(*url.Error).Err // without the query, so that what is alike counts as one
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	close(l.ended)
	<-l.done
	t.Logf("%s: %d events, %d acknowledged, the slowest in %s", l.experiment, l.sent.Load(), l.acknowledged.Load(), time.Duration(l.slowest.Load()).Round(time.Millisecond))
}

func (l *load) firstTrouble() string {
	text := ""
	l.trouble.Range(func(problem, count any) bool {
		text += fmt.Sprintf("%d × %s; ", count.(*atomic.Int64).Load(), problem)
		return true
	})
	return text
}

// countsEverything compares what was sent, acknowledged and counted.
func (l *load) countsEverything(t *testing.T, g gimelHost) {
	t.Helper()
	if l.acknowledged.Load() != l.sent.Load() {
		t.Errorf("%d sent, %d acknowledged: %s", l.sent.Load(), l.acknowledged.Load(), l.firstTrouble())
	}
	// An experiment is listed with its goals, so it needs one.
	goal := url.Values{"namespace": {"load"}, "experiment": {l.experiment}, "event": {"goal"}, "variant": {"blue"}, "uuid": {"visitor-2"}}
	for _, variant := range []string{"blue", "red"} {
		goal.Set("variant", variant)
		if err := l.ask(goal); err != nil {
			t.Fatal(err)
		}
	}
	if trials, _ := g.counts(t, "load", l.experiment); trials != l.sent.Load() {
		t.Errorf("%d sent, %d counted", l.sent.Load(), trials)
	}
}
