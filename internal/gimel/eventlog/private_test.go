package eventlog

import (
	"net/http/httptest"
	"strings"
	"testing"

	"provision/internal/gimel/redistest"
)

// Rows of what gimel counts would come back without their times: so they do not go, and who asks is
// told what to do.
func TestRowsOfWhatIsCountedStay(t *testing.T) {
	s := counting(t, redistest.Start(t), 1<<20)
	sink := newMemory(t)
	c := newConsumer(t, s, sink)
	visit(t, s, "a", 0, 10)
	drain(t, c)
	remove := func(experiment string) (int, string) {
		answer := httptest.NewRecorder()
		c.Handler("1").ServeHTTP(answer, httptest.NewRequest("DELETE", "/rows?namespace=n&experiment="+experiment, nil))
		return answer.Code, answer.Body.String()
	}
	if status, text := remove("a"); status != 409 || !strings.Contains(text, "delete it in gimel first") || len(sink.rows) != 10 {
		t.Errorf("%d %q, and %d of 10 rows", status, text, len(sink.rows))
	}
	if err := s.Delete(t.Context(), "n", "a"); err != nil {
		t.Fatal(err)
	}
	if status, text := remove("a"); status != 200 || len(sink.rows) != 0 {
		t.Errorf("after it is deleted: %d %q, and %d rows", status, text, len(sink.rows))
	}
}
