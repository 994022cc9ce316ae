package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// figures are those of one measurement.
type figures struct {
	answers  int
	rate     float64 // answers a second
	p50, p99 time.Duration
	// CPU time for an answer: of the servers, and of the load generator too.
	servers, total time.Duration
}

func (f figures) String() string {
	return fmt.Sprintf("%9.0f %9s %9s", f.rate, f.p50.Round(10*time.Microsecond), f.p99.Round(10*time.Microsecond))
}

// load sends one event after the other on each connection, every one with a
// uuid of its own, and times every answer. An answer other than 200 ends it.
// It writes requests by hand: net/http's client would take more of the machine
// than the server.
func load(target string, connections int, length time.Duration) (figures, error) {
	var acknowledged atomic.Int64
	return loadCounting(target, connections, length, &acknowledged)
}

// loadCounting is load that also counts every answer of 200.
func loadCounting(target string, connections int, length time.Duration, acknowledged *atomic.Int64) (figures, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return figures{}, err
	}
	times := make([][]time.Duration, connections)
	failures := make([]error, connections)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	end := time.Now().Add(length)
	begin := time.Now()
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() {
			times[i], failures[i] = drive(parsed, fmt.Sprintf("%s-%d", run, i), i, end, acknowledged)
		})
	}
	group.Wait()
	took := time.Since(begin)
	if err := errors.Join(failures...); err != nil {
		return figures{}, err
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	if len(all) == 0 {
		return figures{}, errors.New("no answer at all")
	}
	return figures{
		answers: len(all),
		rate:    float64(len(all)) / took.Seconds(),
		p50:     all[len(all)/2],
		p99:     all[len(all)*99/100],
	}, nil
}

func drive(target *url.URL, prefix string, number int, end time.Time, acknowledged *atomic.Int64) ([]time.Duration, error) {
	connection, err := dial(target)
	if err != nil {
		return nil, err
	}
	defer func() { connection.Close() }()
	reader := textproto.NewReader(bufio.NewReader(connection))
	variant := []string{"blue", "red"}[number%2]
	// Two experiments, and a goal for every third connection.
	query := fmt.Sprintf("?experiment=bench+%d&variant=%s&event=%s&namespace=alephbet&uuid=%s-",
		number%2, variant, []string{"participate", "participate", "goal"}[number%3], prefix)
	head := "GET " + target.Path + query
	tail := " HTTP/1.1\r\nHost: " + target.Host + "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nOrigin: https://shop.example\r\n\r\n"
	var times []time.Duration
	request := make([]byte, 0, 512)
	for i := 0; ; i++ {
		begin := time.Now()
		if begin.After(end) {
			return times, nil
		}
		request = append(request[:0], head...)
		request = strconv.AppendInt(request, int64(i), 36)
		request = append(request, tail...)
		if _, err := connection.Write(request); err != nil {
			return nil, err
		}
		last, err := readAnswer(reader)
		if err != nil {
			return nil, err
		}
		acknowledged.Add(1)
		times = append(times, time.Since(begin))
		if last { // nginx's keepalive_requests: 1000
			connection.Close()
			if connection, err = dial(target); err != nil {
				return nil, err
			}
			reader = textproto.NewReader(bufio.NewReader(connection))
		}
	}
}

func dial(target *url.URL) (net.Conn, error) {
	if target.Scheme == "https" {
		return tls.Dial("tcp", withPort(target, "443"), &tls.Config{InsecureSkipVerify: true, ServerName: target.Hostname()})
	}
	return net.Dial("tcp", withPort(target, "80"))
}

func withPort(target *url.URL, port string) string {
	if target.Port() != "" {
		port = target.Port()
	}
	return net.JoinHostPort(target.Hostname(), port)
}

// readAnswer reads one answer, which must be a 200 without a body, and says
// whether it is the connection's last.
func readAnswer(reader *textproto.Reader) (last bool, err error) {
	status, err := reader.ReadLineBytes()
	if err != nil {
		return false, err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200") {
		return false, fmt.Errorf("answer: %s", status)
	}
	for {
		line, err := reader.ReadLineBytes()
		if err != nil {
			return false, err
		}
		if len(line) == 0 {
			return last, nil
		}
		name, value, _ := strings.Cut(string(line), ": ")
		last = last || strings.EqualFold(name, "Connection") && value == "close"
		if strings.EqualFold(name, "Content-Length") && value != "0" {
			return false, fmt.Errorf("answer has a body of %s bytes", value)
		}
	}
}
