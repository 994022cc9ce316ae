package statistics

import (
	"errors"
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.10g, want %.10g ± %g", what, got, want, tolerance)
	}
}

// R. G. Newcombe, "Two-sided confidence intervals for the single proportion:
// comparison of seven methods", Statistics in Medicine 17 (1998), table I,
// method 3 (score, without continuity correction).
func TestWilsonPublished(t *testing.T) {
	for _, c := range []struct {
		successes, trials int64
		low, high         float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0.0000, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		got := Wilson(c.successes, c.trials, 0.95)
		near(t, "low", got.Low, c.low, 5e-5)
		near(t, "high", got.High, c.high, 5e-5)
	}
	if got := Wilson(20, 20, 0.95); got.High != 1 {
		t.Errorf("20 of 20: high = %g, want exactly 1", got.High)
	}
}

// R. G. Newcombe, "Interval estimation for the difference between independent
// proportions: comparison of eleven methods", Statistics in Medicine 17
// (1998), table II, method 10.
func TestNewcombePublished(t *testing.T) {
	for _, c := range []struct {
		a, m, b, n int64
		low, high  float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 20, -0.1611, 0.2775},
		{0, 10, 0, 10, -0.2775, 0.2775},
		{10, 10, 0, 20, 0.6791, 1.0000},
		{10, 10, 0, 10, 0.6075, 1.0000},
	} {
		got := Newcombe(Variant{Trials: c.m, Successes: c.a}, Variant{Trials: c.n, Successes: c.b}, 0.95)
		near(t, "low", got.Low, c.low, 5.1e-5)
		near(t, "high", got.High, c.high, 5.1e-5)
	}
}

// R 4.2, t.test(extra ~ group, data = sleep): Student's own data, and Welch's test.
func TestWelchPublished(t *testing.T) {
	variant := func(values ...float64) (v Variant) {
		for _, x := range values {
			v.Trials, v.Successes, v.Values = v.Trials+1, v.Successes+1, v.Values+1
			v.Sum, v.Squares = v.Sum+x, v.Squares+x*x
		}
		return v
	}
	a := variant(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
	b := variant(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
	near(t, "t", welchOf(a, b).t, -1.8608, 5e-5)
	near(t, "degrees of freedom", welchOf(a, b).degrees, 17.776, 5e-4)
	near(t, "p", ValueP(a, b), 0.07939, 5e-6)
	m := measured{Comparison: &Comparison{}, kind: Value, control: b, variant: a}
	m.measureFixed(0.05)
	near(t, "low", m.Interval.Low, -3.3654832, 5e-8)
	near(t, "high", m.Interval.High, 0.2054832, 5e-8)
}

// R 4.2.2, prop.test(c(a, b), c(m, n), correct = FALSE)$p.value. The second
// table is the aspirin trial in A. Agresti, "Categorical data analysis"
// (myocardial infarction, 189 of 11,034 on placebo, 104 of 11,037 on aspirin).
func TestTwoProportionPPublished(t *testing.T) {
	for _, c := range []struct {
		a, m, b, n int64
		p          float64
	}{
		{56, 70, 48, 80, 0.008045081368},
		{189, 11034, 104, 11037, 5.691896974e-07},
		{520, 10000, 600, 10000, 0.01388057744},
		{0, 50, 3, 40, 0.04888463392},
		{23, 60, 18, 72, 0.09927657428},
	} {
		x, y := Variant{Trials: c.m, Successes: c.a}, Variant{Trials: c.n, Successes: c.b}
		near(t, "p", TwoProportionP(x, y), c.p, 1e-9*math.Max(c.p, 1e-3))
		near(t, "p, other order", TwoProportionP(y, x), c.p, 1e-9)
	}
	for _, successes := range []int64{0, 10} {
		v := Variant{Trials: 10, Successes: successes}
		if p := TwoProportionP(v, v); p != 1 {
			t.Errorf("%d of 10 twice: p = %g, want 1", successes, p)
		}
	}
}

// R 4.2.2, p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
func TestHolmPublished(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		near(t, "adjusted p", got[i], want, 1e-12)
	}
}

// 1. R. Kohavi, D. Tang and Y. Xu, "Trustworthy online controlled experiments"
// (2020), chapter 3: 821,588 users against 815,482 at 50:50, p = 1.8e-6
// (R: 1.821792873e-06).
// 2. Mendel's peas at 9:3:3:1, the standard textbook case: chi-square 0.470,
// 3 degrees of freedom, p = 0.925 (R: 0.9254259).
func TestSampleRatioPublished(t *testing.T) {
	kohavi := CheckSampleRatio([]Variant{{Trials: 821588}, {Trials: 815482}})
	near(t, "Kohavi", kohavi.P, 1.821792873e-06, 1e-14)
	if !kohavi.Alarm {
		t.Error("Kohavi's example raises no alarm")
	}
	mendel := CheckSampleRatio([]Variant{
		{Weight: 9, Trials: 315}, {Weight: 3, Trials: 101}, {Weight: 3, Trials: 108}, {Weight: 1, Trials: 32}})
	near(t, "Mendel", mendel.P, 0.9254259, 1e-7)
	if mendel.Alarm || mendel.Confirmed {
		t.Error("Mendel's peas raise an alarm")
	}
	near(t, "Mendel, expected", mendel.Expected[0], 312.75, 1e-9)
}

// ?power.prop.test in R: power.prop.test(p1 = .50, p2 = .75, power = .90)
// "=> n = 76.7"; the others are R 4.2.2's own answers. Evan Miller's
// calculator (evanmiller.org/ab-testing/sample-size.html) opens with 20 % and
// 5 points: 1,030; ours uses the pooled variance and may not be lower, nor
// higher by more than 7 %.
func TestSampleSizePublished(t *testing.T) {
	for _, c := range []struct {
		baseline, effect, power float64
		want                    int64
	}{
		{0.50, 0.25, 0.90, 77},
		{0.20, 0.05, 0.80, 1094},
		{0.05, 0.01, 0.80, 8158},
		{0.80, 0.05, 0.80, 1094},
	} {
		got, err := SampleSize(c.baseline, c.effect, 0.05, c.power)
		if err != nil || got != c.want {
			t.Errorf("SampleSize(%g, %g) = %d, %v; want %d", c.baseline, c.effect, got, err, c.want)
		}
	}
	if n, _ := SampleSize(0.20, 0.05, 0.05, 0.80); n < 1030 || float64(n) > 1030*1.07 {
		t.Errorf("20 %% + 5 points: %d, too far from Evan Miller's 1,030", n)
	}
}

func TestSampleSizeRefuses(t *testing.T) {
	for _, c := range [][4]float64{
		{0, 0.1, 0.05, 0.8}, {1, 0.1, 0.05, 0.8}, {0.5, 0, 0.05, 0.8}, {0.5, 0.6, 0.05, 0.8},
		{0.5, 0.1, 0, 0.8}, {0.5, 0.1, 0.05, 1}, {0.5, 0.1, 0.9, 0.5},
		{math.NaN(), 0.1, 0.05, 0.8}, {0.5, 1e-12, 0.05, 0.8},
	} {
		if n, err := SampleSize(c[0], c[1], c[2], c[3]); !errors.Is(err, ErrSampleSize) {
			t.Errorf("SampleSize(%v) = %d, %v; want ErrSampleSize", c, n, err)
		}
	}
	// Near zero only one direction exists, and it is the one that counts.
	if n, err := SampleSize(0.01, 0.02, 0.05, 0.8); err != nil || n < 700 || n > 800 {
		t.Errorf("1 %% against 3 %%: %d, %v", n, err)
	}
}
