// Package webhook tells another program of verdicts and of mismatches of the
// split, once each.
package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"provision/internal/gimel/dashboard"
	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

// The types of messages.
const (
	Decision = "decision"
	Mismatch = "mismatch"
)

// Message is what is posted, as JSON.
type Message struct {
	Type string    `json:"type"`
	At   time.Time `json:"timestamp"`
	// Text is all of it in a sentence, by the name that chats look for.
	Text string `json:"text"`
	Data Data   `json:"data"`

	what string // of all that can be told of the experiment
}

// Data is what the message is about.
type Data struct {
	Namespace    string             `json:"namespace"`
	Experiment   string             `json:"experiment"`
	Goal         string             `json:"goal,omitempty"`
	Verdict      statistics.Verdict `json:"verdict,omitempty"`
	Leader       string             `json:"leader,omitempty"`
	Participants int64              `json:"participants"`
	Planned      int64              `json:"planned_trials,omitempty"`
	life         string
}

// ID is the same whenever this is told again: who has it need not hear it.
func (m Message) ID() string {
	text := strings.Join([]string{m.Data.Namespace, m.Data.Experiment, m.Data.life, m.what}, "\x00")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// messages are what there is to tell of an experiment now. Of one that nobody
// declared there is nothing: strangers can invent those, and verdicts of them.
func messages(d results.Detail, now time.Time) (all []Message) {
	if !d.Declared || d.Archived {
		return nil
	}
	data := Data{Namespace: d.Namespace, Experiment: d.Name, Planned: d.PlannedTrials, life: d.Life}
	for _, v := range d.Variants {
		data.Participants += v.Trials
	}
	if check := statistics.CheckSampleRatio(d.Variants); check != nil && check.Confirmed && !d.Ramped && !d.Estimated {
		all = append(all, Message{Type: Mismatch, At: now, Data: data, what: Mismatch,
			Text: text("%s: the participants are not split as declared, so no verdict is given", d.Name)})
	}
	for i, report := range results.Judge(d, statistics.DefaultAlpha, now) {
		if !decided(report.Verdict) {
			continue
		}
		of := data
		of.Goal, of.Verdict, of.Leader = d.Results[i].Name, report.Verdict, report.Leader
		all = append(all, Message{Type: Decision, At: now, Data: of, what: Decision + ":" + of.Goal + ":" + string(report.Verdict),
			Text: text("%s, %s: %s%s", d.Name, of.Goal, dashboard.Headline(report, d.Primary), judged(d))})
	}
	return all
}

// judged says by what, where that is not what is declared now.
func judged(d results.Detail) string {
	if dashboard.Replanned(d) == "" {
		return ""
	}
	return " (by what was declared before participants came; it was changed since)"
}

// chats are those signs that mean something to a chat: <!channel> calls everybody
// (Slack, "Formatting text for app surfaces": these three are to be escaped).
var chats = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func text(format string, names ...any) string { return chats.Replace(fmt.Sprintf(format, names...)) }

func decided(v statistics.Verdict) bool {
	switch v {
	case statistics.EarlyDifference, statistics.Difference, statistics.LateDifference, statistics.NoDifference:
		return true
	}
	return false
}
