package store

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"provision/internal/gimel/event"
	"provision/internal/gimel/redistest"
)

func purchase(uuid int, value string) event.Event {
	return event.Event{Namespace: "alephbet", Experiment: "shop", Name: "buy", Variant: "blue", UUID: strconv.Itoa(uuid), Value: value}
}

func declareShop(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "shop", Goals: []string{"look", "buy"},
		Kinds: map[string]event.Kind{"look": event.Count, "buy": event.Value}})
	if err != nil {
		t.Fatal(err)
	}
}

// What the uuids bring is added up once, in whatever batches and however often it is sent, with the
// sum of the squares, in all and of the day.
func TestValuesAreAddedUpOnce(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	declareShop(t, s)
	var events []event.Event
	var sum, squares float64
	for i := range 1000 { // buckets are split on the way
		value := float64(i)/8 - 10
		sum, squares = sum+value, squares+value*value
		events = append(events, purchase(i, strconv.FormatFloat(value, 'g', -1, 64)))
	}
	if added := commitAll(t, s, events); added != 1000 {
		t.Errorf("added %d", added)
	}
	again := []event.Event{purchase(3, "1000"), purchase(3, "2000")}
	if added := commitAll(t, s, again); added != 0 {
		t.Errorf("a resend added %d", added)
	}
	found, err := s.Experiment(t.Context(), "alephbet", "shop")
	if err != nil {
		t.Fatal(err)
	}
	got := found.Counter("buy", "blue")
	if got.Count != 1000 || got.Values.Of != 1000 || math.Abs(got.Values.Sum-sum) > 1e-6 || math.Abs(got.Values.Squares-squares) > 1e-6 {
		t.Errorf("%+v, want sum %g, squares %g", got, sum, squares)
	}
	days, err := s.Days(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	var of Day
	for _, day := range days[0][got] { // two of them at midnight
		of.Count, of.Sum, of.Squares = of.Count+day.Count, of.Sum+day.Sum, of.Squares+day.Squares
	}
	if of.Count != 1000 || math.Abs(of.Sum-sum) > 1e-6 || math.Abs(of.Squares-squares) > 1e-6 {
		t.Errorf("days: %+v", days[0][got])
	}
	if found.Primary != "look" || found.Kinds["look"] != event.Count || found.Kinds["buy"] != event.Value {
		t.Errorf("declared: primary %q, %v", found.Primary, found.Kinds)
	}
}

// An event without a value that can be added up is dropped with its reason, and its uuid can still
// bring one; goals of other kinds take no notice of values.
func TestAnEventWithoutAValueIsDropped(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	declareShop(t, s)
	look := purchase(1, "nonsense")
	look.Name = "look"
	for _, c := range []struct {
		events []event.Event
		want   []Outcome
	}{
		{[]event.Event{purchase(1, ""), purchase(2, "NaN"), purchase(3, "5")},
			[]Outcome{{Reason: event.MissingValue}, {Reason: event.BadValue}, {Added: true}}},
		{[]event.Event{purchase(4, "")}, []Outcome{{Reason: event.MissingValue}}},
		{[]event.Event{purchase(1, "7"), look}, []Outcome{{Added: true}, {Added: true}}},
	} {
		for i, outcome := range s.Commit(t.Context(), c.events) {
			if outcome != c.want[i] {
				t.Errorf("%+v: %+v, want %+v", c.events[i], outcome, c.want[i])
			}
		}
	}
	found, err := s.Experiment(t.Context(), "alephbet", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Counter("buy", "blue"); got.Count != 2 || got.Values != (Values{Of: 2, Sum: 12, Squares: 74}) {
		t.Errorf("%+v", got)
	}
}

// Of a count, what is added up are the visitors: how often each has come, and the squares of that.
func TestVisitorsOfACount(t *testing.T) {
	server := redistest.Start(t)
	s := newStore(t, server.URL(), exactSettings)
	declareShop(t, s)
	look := func(uuid int, visitor string) event.Event {
		e := purchase(uuid, "")
		e.Name, e.Visitor = "look", visitor
		return e
	}
	uuid, want := 0, Values{}
	for visitor := range 300 {
		times := visitor%7 + 1
		want.Of, want.Sum, want.Squares = want.Of+int64(times), want.Sum+float64(times), want.Squares+float64(times*times)
		var events []event.Event
		for range times {
			uuid++
			events = append(events, look(uuid, "visitor "+strconv.Itoa(visitor)))
		}
		commitAll(t, s, events[:1])
		commitAll(t, s, events) // the first once more
	}
	got := func() Counter {
		found, err := s.Experiment(t.Context(), "alephbet", "shop")
		if err != nil {
			t.Fatal(err)
		}
		return found.Counter("look", "blue")
	}
	if got := got(); got.Values != want || got.Count != want.Of {
		t.Errorf("%+v, want %+v", got, want)
	}
	commitAll(t, s, []event.Event{look(uuid+1, "")})
	if got := got(); got.Values != want || got.Count != want.Of+1 {
		t.Errorf("and one of nobody known: %+v, want %+v", got, want)
	}
	if err := s.Delete(t.Context(), "alephbet", "shop"); err != nil {
		t.Fatal(err)
	}
	if left := server.Client().Keys(t.Context(), "*shop*").Val(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Of a goal that was one of values and is one of visits now, no sum is of both.
func TestSumsOfAnotherKindAreNotAddedTo(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	declare := func(kind event.Kind) {
		t.Helper()
		if _, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "e", Goals: []string{"other", "buy"},
			Kinds: map[string]event.Kind{"buy": kind}}); err != nil {
			t.Fatal(err)
		}
	}
	buy := func(uuid string) Values {
		t.Helper()
		commitAll(t, s, []event.Event{{Namespace: "alephbet", Experiment: "e", Name: "buy", Variant: "blue", UUID: uuid, Value: "100", Visitor: uuid}})
		e, err := s.Experiment(t.Context(), "alephbet", "e")
		if err != nil {
			t.Fatal(err)
		}
		return e.Counter("buy", "blue").Values
	}
	declare(event.Value)
	buy("a")
	declare(event.Value)
	if got := buy("b"); got != (Values{Of: 2, Sum: 200, Squares: 20_000}) {
		t.Errorf("declared again: %+v", got)
	}
	declare(event.Count)
	if got := buy("c"); got != (Values{Of: 1, Sum: 1, Squares: 1}) {
		t.Errorf("as a count: %+v", got)
	}
}

// What is above the largest value that was declared is dropped, to either side, and so is what a
// visitor has beyond the largest number; neither is in any sum, and how many there were is told.
func TestWhatIsAboveTheMostIsDropped(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	if _, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "shop", Goals: []string{"buy", "look"},
		Kinds: map[string]event.Kind{"look": event.Count, "buy": event.Value}, Max: map[string]float64{"buy": 500.5, "look": 3}}); err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	for i, value := range []string{"500.5", "1e9", "-500.5", "-501", "20"} {
		events = append(events, purchase(i, value))
	}
	for i := range 7 {
		look := purchase(100+i, "")
		look.Name, look.Visitor = "look", map[bool]string{true: "often", false: "seldom"}[i < 5]
		events = append(events, look)
	}
	for _, again := range []bool{false, true} {
		for i, outcome := range s.Commit(t.Context(), events) {
			want := Outcome{Added: !again}
			if slices.Contains([]int{1, 3, 8, 9}, i) {
				want = Outcome{Reason: event.BadValue}
			}
			if outcome != want {
				t.Errorf("event %d, again %v: %+v", i, again, outcome)
			}
		}
	}
	e, err := s.Experiment(t.Context(), "alephbet", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Counter("buy", "blue").Values, (Values{Of: 3, Sum: 20, Squares: 2*500.5*500.5 + 400}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := e.Counter("look", "blue"); got.Count != 5 || got.Values != (Values{Of: 5, Sum: 5, Squares: 13}) {
		t.Errorf("%+v", got)
	}
	if e.Over["buy"] != 4 || e.Over["look"] != 4 || e.Max["buy"] != 500.5 || e.Max["look"] != 3 {
		t.Errorf("%v above %v", e.Over, e.Max)
	}
}

// A goal that wants a key takes no event of a page, and does of a server.
func TestAGoalThatWantsAKey(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	d := Declaration{Namespace: "alephbet", Experiment: "shop", Goals: []string{"sign-up", "buy"},
		Kinds: map[string]event.Kind{"buy": event.Value}, Keyed: map[string]bool{"buy": true, "sign-up": true}}
	if _, err := s.Declare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	for _, name := range []string{"buy", "sign-up"} {
		for i := range 4 {
			e := purchase(i, "5")
			if e.Name, e.Keyed = name, i > 1; name == "sign-up" {
				e.Value = ""
			}
			events = append(events, e)
		}
	}
	for i, outcome := range s.Commit(t.Context(), events) {
		want := Outcome{Added: true}
		if i%4 < 2 {
			want = Outcome{Reason: event.MissingKey}
		}
		if outcome != want {
			t.Errorf("event %d: %+v", i, outcome)
		}
	}
	e, err := s.Experiment(t.Context(), "alephbet", "shop")
	if err != nil || e.Kind("sign-up") != event.Unique || !reflect.DeepEqual(e.Declaration(), d) {
		t.Errorf("%+v, %v", e.Declaration(), err)
	}
}

// Of a count with a bound an event that does not say whose it is is dropped: nothing bounds it, and a
// single one would keep the goal from being tested.
func TestABoundedCountWantsAVisitor(t *testing.T) {
	s := newStore(t, redistest.Start(t).URL(), exactSettings)
	_, err := s.Declare(t.Context(), Declaration{Namespace: "alephbet", Experiment: "shop", Goals: []string{"look"},
		Kinds: map[string]event.Kind{"look": event.Count}, Max: map[string]float64{"look": 2}})
	if err != nil {
		t.Fatal(err)
	}
	look := func(uuid int, visitor string) event.Event {
		return event.Event{Namespace: "alephbet", Experiment: "shop", Name: "look", Variant: "blue", UUID: strconv.Itoa(uuid), Visitor: visitor}
	}
	for _, events := range [][]event.Event{{look(1, "")}, {look(2, ""), look(3, "a"), look(4, "")}} {
		for i, outcome := range s.Commit(t.Context(), events) {
			want := Outcome{Added: true}
			if events[i].Visitor == "" {
				want = Outcome{Reason: event.MissingParameter}
			}
			if outcome != want {
				t.Errorf("%+v: %+v, want %+v", events[i], outcome, want)
			}
		}
	}
	found, err := s.Experiment(t.Context(), "alephbet", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Counter("look", "blue"); got.Count != 1 || got.Values.Of != 1 {
		t.Errorf("%+v", got)
	}
}
