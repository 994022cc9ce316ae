package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"provision/internal/gimel/eventlog"
)

// errDisagree is exit code 3.
var errDisagree = errors.New("rows and counters do not agree")

// eventLogSocket is where the task gimel lets the process listen.
const eventLogSocket = "unix:/run/gimel-eventlog/private.sock"

// recount asks the process that brings events to SQL to hold its rows against
// the counters, and prints a line for each counter.
func recount(arguments []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("gimel recount", flag.ContinueOnError)
	flags.SetOutput(stdout)
	address := flags.String("address", eventLogSocket, "unix:/`PATH` or HOST:PORT of gimel eventlog's --private-listen")
	namespace := flags.String("namespace", "", "`NAMESPACE` to recount (default: all)")
	experiment := flags.String("experiment", "", "`EXPERIMENT` to recount (default: all)")
	quiet := flags.Bool("quiet", false, "print the counters alone that do not agree, and the sum")
	each := flags.Bool("rows", false, "go by the rows one by one, which may take long, instead of by how many were noted as they came")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("recount: unexpected argument %q", flags.Arg(0))
	}
	query := url.Values{"namespace": {*namespace}, "experiment": {*experiment}}
	within := answerWithin
	if *each {
		query.Set("rows", "each")
		within = checkWithin
	}
	counters, err := recounted(context.Background(), *address, query, within)
	if err != nil {
		return fmt.Errorf("recount: %w", err)
	}
	var counted, rows, waiting int64
	agree := true
	for _, one := range counters {
		disagrees := one.Missing != 0 || one.More != 0 || one.Problem
		if !*quiet || disagrees {
			fmt.Fprintln(stdout, one.Text)
		}
		counted, rows, waiting = counted+one.Counted, rows+one.Rows, waiting+one.Waiting
		agree = agree && !disagrees
	}
	fmt.Fprintf(stdout, "%d counters: counted %d, rows %d, waiting %d\n", len(counters), counted, rows, waiting)
	if !agree {
		return errDisagree
	}
	return nil
}

func recounted(ctx context.Context, address string, query url.Values, within time.Duration) ([]eventlog.Counted, error) {
	body, err := askEventLog(ctx, http.MethodGet, address, "/recount", query, within)
	if err != nil {
		return nil, err
	}
	var counters []eventlog.Counted
	if err := json.Unmarshal(body, &counters); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return counters, nil
}

const (
	// answerWithin is what an answer may take: as long as its sink does.
	answerWithin = 5 * time.Minute
	// checkWithin is for rows that are counted one by one.
	checkWithin = 12 * time.Hour
)

func askEventLog(ctx context.Context, method, address, path string, query url.Values, within time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer(address)}}
	request, err := http.NewRequestWithContext(ctx, method, "http://gimel"+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}
