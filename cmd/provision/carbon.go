package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/run"
)

// carbonPort is where carbon takes lines (carbon.conf, LINE_RECEIVER_PORT).
const carbonPort = 2003

// carbonTimeout bounds the whole of what is sent.
const carbonTimeout = 10 * time.Second

// carbonAt reads HOST:PORT; "" is none.
func carbonAt(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	at, err := inventory.ParseHost(text)
	if err == nil && at.User != "" {
		err = errors.New("nobody logs in there")
	}
	if err != nil {
		return "", usage(fmt.Errorf("--graphite: %w", err), "--graphite graphite.example.org:2003")
	}
	return net.JoinHostPort(at.Host, strconv.Itoa(cmp.Or(at.Port, carbonPort))), nil
}

// notInMetric is what a part of a metric's name has not: a dot ends the part, and a file of whisper has the
// part for its name. collectd writes _ too.
var notInMetric = regexp.MustCompile(`[^A-Za-z0-9-]`)

// checkMetricNames refuses two hosts with one name: each would write over what the other has.
func checkMetricNames(work []run.Work) error {
	taken := map[string]string{}
	for _, w := range work {
		name := metricName(w.Target.Name)
		if other, twice := taken[name]; twice {
			return usage(fmt.Errorf("--graphite: %s and %s are both provision.drift.%s", other, w.Target.Name, name), "rename one of the two in the inventory")
		}
		taken[name] = w.Target.Name
	}
	return nil
}

func metricName(host string) string { return notInMetric.ReplaceAllString(host, "_") }

// driftMetrics are the lines for carbon: how many resources of a host differ, where it could be compared,
// and whether it could be reached. Nothing is said of a host that was not tried to its end. Of a host that is asked no
// more there is no line at all, so how many could be compared is told beside how many the inventory knows.
func driftMetrics(results []run.Result, differ map[string]int, known int, at time.Time) string {
	var lines strings.Builder
	add := func(what, of string, value int) {
		fmt.Fprintf(&lines, "provision.%s.%s %d %d\n", what, metricName(of), value, at.Unix())
	}
	compared, whole := 0, true
	for _, result := range results {
		switch result.Status {
		case engine.StatusSame, engine.StatusPending:
			compared++
			add("drift", result.Host, differ[result.Host])
			add("unreachable", result.Host, 0)
		case engine.StatusUnreachable:
			add("unreachable", result.Host, 1)
		case engine.StatusInterrupted, engine.StatusRefused:
			whole = false
		default:
			add("unreachable", result.Host, 0)
		}
	}
	if whole {
		add("hosts", "known", known)
		add("hosts", "compared", compared)
	}
	return lines.String()
}

// sendToCarbon sends lines, and waits until the other side has read them to their end: it closes the
// connection then. It answers nothing.
func sendToCarbon(ctx context.Context, address, lines string) error {
	ctx, done := context.WithTimeout(ctx, carbonTimeout)
	defer done()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	end, _ := ctx.Deadline()
	if err := connection.SetDeadline(end); err != nil {
		return err
	}
	if _, err := io.WriteString(connection, lines); err != nil {
		return err
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(connection, 1<<20)); err != nil {
		return fmt.Errorf("it is not known whether all was read: %w", err)
	}
	return nil
}
