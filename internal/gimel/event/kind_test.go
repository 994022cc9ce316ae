package event

import "testing"

func TestAnAmountIsFiniteAndBounded(t *testing.T) {
	for text, want := range map[string]Reason{
		"0": "", "12.5": "", "-3": "", "1e9": "", "1e-6": "", "1e-7": BadValue, "-1e-300": BadValue,
		"": MissingValue, "1e10": BadValue, "-1e10": BadValue, "NaN": BadValue, "Inf": BadValue, "1e999": BadValue,
		"12,5": BadValue, "€5": BadValue, " 1": BadValue, "0.000000000000000000000000000000001": BadValue,
	} {
		if _, got := (Event{Value: text}).Amount(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	e, reason := Parse("experiment=e&uuid=u&variant=v&event=buy&value=12.50", DefaultLimits)
	if amount, _ := e.Amount(); reason != "" || amount != 12.5 {
		t.Errorf("%+v, %s", e, reason)
	}
}
