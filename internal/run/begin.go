package run

import "time"

// beginning lets so many hosts log in at a time, and as many that are logged in have their turn. To log in
// takes seven round trips, to ask two: if one waited for the other, who asks many would mostly wait. Nil has
// no limits.
type beginning struct{ logins, turns chan struct{} }

// eachBegins is each, for work that begins with a connection.
func eachBegins(jobs []*job, forks int, work func(*job)) {
	if forks <= 1 { // one after the other
		each(jobs, forks, work)
		return
	}
	b := &beginning{make(chan struct{}, forks), make(chan struct{}, forks)}
	each(jobs, 2*forks, func(j *job) {
		j.beginning = b
		work(j)
		b.end(j)
		j.beginning = nil
	})
}

// login waits for a place to log in. No wait is the host's time.
func (b *beginning) login(j *job) (done func()) {
	if b == nil {
		return func() {}
	}
	defer j.clock.pause()()
	b.logins <- struct{}{}
	return func() { <-b.logins }
}

// turn waits for a host's turn, once it is logged in, and returns for how long.
func (b *beginning) turn(j *job) time.Duration {
	if b == nil || j.hasTurn {
		return 0
	}
	defer j.clock.pause()()
	began := time.Now()
	b.turns <- struct{}{}
	j.hasTurn = true
	return time.Since(began)
}

// end is the end of a host's turn, if it had one.
func (b *beginning) end(j *job) {
	if j.hasTurn {
		<-b.turns
		j.hasTurn = false
	}
}
