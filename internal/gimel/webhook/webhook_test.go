package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
	"provision/internal/gimel/results"
	"provision/internal/gimel/store"
)

const secret = "the secret of this webhook"

// receiver is a webhook's other end.
type receiver struct {
	mu     sync.Mutex
	calls  []call
	answer func(call) int
	*httptest.Server
}

type call struct {
	id      string
	message Message
}

func receive(t *testing.T) *receiver {
	r := &receiver{answer: func(call) int { return 204 }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s.%s", request.Header.Get("webhook-id"), request.Header.Get("webhook-timestamp"), body)
		if got := request.Header.Get("webhook-signature"); got != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("signature %q", got)
		}
		c := call{id: request.Header.Get("webhook-id")}
		if err := json.Unmarshal(body, &c.message); err != nil || request.Method != http.MethodPost {
			t.Errorf("%s %s: %v", request.Method, body, err)
		}
		r.mu.Lock()
		r.calls = append(r.calls, c)
		answer := r.answer
		r.mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(answer(c))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) taken() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

// hook is a watcher over a Redis, and its receiver.
type hook struct {
	Watcher
	t     *testing.T
	store *store.Store
	to    *receiver
}

func newHook(t *testing.T) *hook {
	client, err := store.Connect(store.Address{URL: redistest.Start(t).URL(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	counters := store.New(client, store.Settings{Counting: store.Exact, HashKey: []byte("hash key"), UndeclaredCap: 10, CounterCap: 10})
	if err := counters.SetTelling(t.Context(), true); err != nil { // as it was before
		t.Fatal(err)
	}
	to := receive(t)
	return &hook{t: t, store: counters, to: to, Watcher: Watcher{Store: counters, Reader: results.Reader{Store: counters},
		Target: NewTarget(to.URL, []byte(secret)), Log: slog.New(slog.DiscardHandler)}}
}

// count makes an experiment with so many participants and buyers of a and b.
func (h *hook) count(name string, declared bool, a, aBuy, b, bBuy int) {
	h.t.Helper()
	if declared {
		if _, err := h.store.Declare(h.t.Context(), store.Declaration{Namespace: "shop", Experiment: name, Goals: []string{"buy"},
			Variants: []store.Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}}); err != nil {
			h.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		variant, name string
		n             int
	}{{"a", event.Participate, a}, {"a", "buy", aBuy}, {"b", event.Participate, b}, {"b", "buy", bBuy}} {
		var events []event.Event
		for i := range c.n {
			events = append(events, event.Event{Namespace: "shop", Experiment: name, Name: c.name, Variant: c.variant, UUID: fmt.Sprint(c.variant, i)})
		}
		for _, outcome := range h.store.Commit(h.t.Context(), events) {
			if outcome.Err != nil || outcome.Reason != "" {
				h.t.Fatalf("%+v", outcome)
			}
		}
	}
}

func (h *hook) mustLook() []call {
	h.t.Helper()
	if err := h.look(h.t.Context(), time.Now()); err != nil {
		h.t.Fatal(err)
	}
	return h.to.taken()
}

func TestEachVerdictIsToldOnce(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	h.count("split", true, 900, 90, 300, 30)
	h.count("undecided", true, 600, 60, 600, 61)
	h.count("invented", false, 600, 30, 600, 150)
	got := h.mustLook()
	if len(got) != 2 {
		t.Fatalf("told %+v", got)
	}
	button, split := got[0].message, got[1].message
	if button.Type != Decision || button.Data.Experiment != "button" || button.Data.Goal != "buy" || button.Data.Leader != "b" ||
		button.Data.Verdict != "early difference" || button.Data.Participants != 1200 || button.Text != "button, buy: “b” converts better than the control" {
		t.Errorf("%+v", button)
	}
	if split.Type != Mismatch || split.Data.Experiment != "split" || split.Data.Verdict != "" {
		t.Errorf("%+v", split)
	}
	if again := h.mustLook(); len(again) != 0 {
		t.Errorf("told again: %+v", again)
	}
	if err := h.store.Delete(t.Context(), "shop", "button"); err != nil {
		t.Fatal(err)
	}
	h.count("button", true, 600, 30, 600, 150)
	if anew := h.mustLook(); len(anew) != 1 || anew[0].id == got[0].id {
		t.Errorf("another experiment of that name: %+v", anew)
	}
}

// A goal that nobody declared is told of nobody, and changes nothing of the others: strangers can send
// a hundred, with names that call everybody in a chat.
func TestStrangersGoalsAreNotTold(t *testing.T) {
	h := newHook(t)
	for _, goals := range [][]string{nil, {"buy & <keep>"}} {
		name := fmt.Sprint("button", len(goals))
		if _, err := h.store.Declare(t.Context(), store.Declaration{Namespace: "shop", Experiment: name, Goals: goals}); err != nil {
			t.Fatal(err)
		}
		for i, goal := range []string{event.Participate, "buy & <keep>", "<!channel>"} {
			for v, conversions := range map[string]int{"a": 30, "b": 150} {
				if i == 0 {
					conversions = 600
				}
				var events []event.Event
				for k := range conversions {
					events = append(events, event.Event{Namespace: "shop", Experiment: name, Name: goal, Variant: v, UUID: fmt.Sprint(v, k)})
				}
				h.store.Commit(t.Context(), events)
			}
		}
	}
	got := h.mustLook()
	if len(got) != 1 || got[0].message.Text != "button1, buy &amp; &lt;keep&gt;: “b” converts better than the control" || got[0].message.Data.Goal != "buy & <keep>" {
		t.Errorf("told %+v", got)
	}
}

// A verdict by what was declared before says so.
func TestAVerdictByAnotherPlanSaysSo(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	if _, err := h.store.Declare(t.Context(), store.Declaration{Namespace: "shop", Experiment: "button", Goals: []string{"buy"}, Planned: 500,
		Variants: []store.Variant{{Label: "a", Weight: 1}, {Label: "b", Weight: 1}}}); err != nil {
		t.Fatal(err)
	}
	got := h.mustLook()
	if len(got) != 1 || !strings.Contains(got[0].message.Text, "what was declared before participants came") || got[0].message.Data.Planned != 0 {
		t.Errorf("told %+v", got)
	}
}

// What was decided while nobody was told is no news to who is told now: the first time, and when it
// was turned off for a while; whatever was told or noted before a crash.
func TestWhatWasDecidedBeforeIsNoNews(t *testing.T) {
	h := newHook(t)
	off := func() {
		t.Helper()
		if err := h.store.SetTelling(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	off()
	h.count("long ago", true, 600, 30, 600, 150)
	h.count("split", true, 900, 90, 300, 30)
	whole := h.Store
	h.Store = dying{whole}
	if err := h.look(t.Context(), time.Now()); err == nil {
		t.Error("killed while it notes, and no error")
	}
	h.Store = whole
	if got := append(h.mustLook(), h.mustLook()...); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
	h.count("new", true, 600, 30, 600, 150)
	if got := h.mustLook(); len(got) != 1 || got[0].message.Data.Experiment != "new" {
		t.Errorf("told %+v", got)
	}
	off()
	h.count("meanwhile", true, 600, 30, 600, 150)
	if got := append(h.mustLook(), h.mustLook()...); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
	h.count("newer", true, 600, 30, 600, 150)
	if got := h.mustLook(); len(got) != 1 || got[0].message.Data.Experiment != "newer" {
		t.Errorf("told %+v", got)
	}
}

// What the receiver does not take comes again with the id that it had, and keeps nothing else back.
func TestWhatIsNotTakenComesAgain(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	h.count("colour", true, 600, 30, 600, 150)
	for _, status := range []int{500, 404, 307, 302} {
		h.to.answer = func(c call) int {
			if c.message.Data.Experiment == "button" {
				return status
			}
			return 200
		}
		if err := h.look(t.Context(), time.Now()); err == nil || strings.Contains(err.Error(), h.to.URL) {
			t.Errorf("%d: %v", status, err)
		}
	}
	ids := map[string]int{}
	for _, c := range h.to.taken() {
		ids[c.message.Data.Experiment+" "+c.id]++
	}
	// Of "button" one for each answer: a redirect that was followed would be more.
	if len(ids) != 2 {
		t.Errorf("%v", ids)
	}
	for id, calls := range ids {
		if want := map[bool]int{true: 4, false: 1}[strings.HasPrefix(id, "button")]; calls != want {
			t.Errorf("%s: %d calls, want %d", id, calls, want)
		}
	}
	h.to.answer = func(call) int { return 200 }
	if got := h.mustLook(); len(got) != 1 || ids["button "+got[0].id] != 4 {
		t.Errorf("%+v", got)
	}
}

func TestASlowReceiverIsGivenUp(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	h.count("colour", true, 600, 30, 600, 150)
	wait := make(chan struct{})
	h.to.answer = func(call) int { <-wait; return 200 }
	defer close(wait)
	for h.Target.client.Timeout = 50 * time.Millisecond; ; h.Target.client.Timeout *= 2 {
		if err := h.look(t.Context(), time.Now()); err == nil || strings.Contains(err.Error(), h.to.URL) {
			t.Errorf("%v", err)
		}
		got := len(h.to.taken())
		if got == 0 && h.Target.client.Timeout < time.Minute { // a busy machine has not asked by then
			continue
		}
		if got != 1 {
			t.Errorf("asked %d times where nobody answers", got)
		}
		return
	}
}

// dying is a process that ends between the receiver's answer and the note of it.
type dying struct{ Store }

func (dying) Tell(context.Context, string, string, string, string) error { return errors.New("killed") }

func TestAProcessThatDiesTellsAgain(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	whole := h.Store
	h.Store = dying{whole}
	if err := h.look(t.Context(), time.Now()); err == nil {
		t.Error("no error")
	}
	first := h.to.taken()
	h.Store = whole
	if again := h.mustLook(); len(first) != 1 || len(again) != 1 || first[0].id != again[0].id {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func TestOneOfAllProcessesTells(t *testing.T) {
	h := newHook(t)
	h.count("button", true, 600, 30, 600, 150)
	h.to.answer = func(call) int { time.Sleep(50 * time.Millisecond); return 200 }
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := h.look(t.Context(), time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := h.to.taken(); len(got) != 1 {
		t.Errorf("told %d times", len(got))
	}
	if _, taken, err := h.store.Lock(t.Context(), "webhook", time.Second); !taken || err != nil {
		t.Errorf("the lock stays: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for address, good := range map[string]bool{
		"https://hooks.example.com/x": true, "http://127.0.0.1:8080/x": true, "http://[::1]/": true, "http://localhost:1": true,
		"http://hooks.example.com": false, "http://10.0.0.1": false, "http://127.0.0.1.example.com": false, "ftp://x": false, "https://": false,
		"https://user:word@x": false, "hooks.example.com": false, "": false, "http://localhost.example.com": false,
	} {
		if err := CheckURL(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	if onlyLoopback("tcp", "10.0.0.1:80", nil) == nil || onlyLoopback("tcp", "[::1]:80", nil) != nil || onlyLoopback("tcp", "127.0.0.2:80", nil) != nil {
		t.Error("where http may go")
	}
}
