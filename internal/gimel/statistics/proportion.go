package statistics

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// TwoProportionP is the two-sided p-value of the two-proportion z-test with
// pooled variance, which is Pearson's chi-square test of the two-by-two table
// without continuity correction (R: prop.test(correct = FALSE)). It holds for
// one look at a size fixed in advance. Both variants need trials.
func TwoProportionP(a, b Variant) float64 {
	return 2 * distuv.UnitNormal.Survival(math.Abs(contrastOf(Unique, a, b).z()))
}

func pooledRate(a, b Variant) float64 {
	return float64(a.Successes+b.Successes) / float64(a.Trials+b.Trials)
}

// Holm corrects p-values for being several (R: p.adjust(method = "holm")):
// S. Holm, "A simple sequentially rejective multiple test procedure",
// Scandinavian Journal of Statistics 6 (1979). The order is kept.
func Holm(p []float64) []float64 {
	adjusted, _ := holm(p)
	return adjusted
}

// holm tells too among how many each p-value had to be the smallest.
func holm(p []float64) (adjusted, among []float64) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted, among = make([]float64, len(p)), make([]float64, len(p))
	var largest float64
	for rank, i := range order {
		among[i] = float64(len(p) - rank)
		largest = max(largest, min(1, p[i]*among[i]))
		adjusted[i] = largest
	}
	return adjusted, among
}
