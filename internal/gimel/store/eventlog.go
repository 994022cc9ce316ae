package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// fingerprintSize is how many bytes a fingerprint has in the log.
const fingerprintSize = 8

// logGroup is the consumer group of every log.
const logGroup = "eventlog"

// Life is an experiment from its first event or declaration until it is
// deleted; then the name may begin another one.
type Life struct {
	Namespace, Experiment string
	ID                    string
	Began                 time.Time // UTC
	// Missed is how many events were counted and not logged, for want of room,
	// and Gap when the first of them came; zero where none was.
	Missed int64
	Gap    time.Time
}

func (l Life) key() string    { return experimentKey(l.Namespace, l.Experiment) }
func (l Life) events() string { return eventsKey(l.key(), l.ID) }

// Counted is what one call of a script has added to the log: fingerprints that
// were new to one counter.
type Counted struct {
	ID             string // of the stream, in its order
	At             time.Time
	Event, Variant string
	Fingerprints   []int64
	Values         []float64 // one for each; nil where the goal has none
	// Problem is why it cannot be read, as where somebody else has written it; then
	// it is of no event.
	Problem error
}

// ErrUnreadable is what is where gimel keeps something, and cannot be read.
var ErrUnreadable = errors.New("is not what gimel writes")

// lastYear is the last one that can be written in four digits: sinks have no
// later ones.
const lastYear = 9999

// Lives are all experiments that there are, sorted.
func (s *Store) Lives(ctx context.Context) ([]Life, error) {
	pipe := s.client.Pipeline()
	lists := []*redis.StringSliceCmd{pipe.SMembers(ctx, declaredKey), pipe.SMembers(ctx, undeclaredKey)}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("redis: list experiments: %w", err)
	}
	members := append(lists[0].Val(), lists[1].Val()...)
	slices.Sort(members)
	members = slices.Compact(members)
	if len(members) == 0 {
		return nil, nil
	}
	found := make([]*redis.SliceCmd, len(members))
	lives := make([]Life, len(members))
	for i, member := range members {
		lives[i].Namespace, lives[i].Experiment, _ = strings.Cut(member, ":")
		found[i] = pipe.HMGet(ctx, lives[i].key(), "id", "created", "gap", "missed")
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for i, fields := range found {
		if err := fields.Err(); err != nil && !isWrongType(err) { // else it is no experiment
			return nil, fmt.Errorf("redis: read experiments: %w", err)
		}
		lives[i].read(fields.Val())
	}
	return slices.DeleteFunc(lives, func(l Life) bool { return l.ID == "" }), nil
}

// isWrongType says that a key is something else than gimel keeps there: that is
// so of one life, where most errors are of all.
func isWrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }

func (l *Life) read(fields []any) {
	if len(fields) == 0 {
		return
	}
	number := func(i int) int64 {
		text, _ := fields[i].(string)
		value, _ := strconv.ParseInt(text, 10, 64) // absent: 0
		return value
	}
	l.ID, _ = fields[0].(string)
	if l.Began = time.Unix(number(1), 0).UTC(); l.Began.Year() > lastYear || l.Began.Year() < 1970 {
		l.Began = time.Unix(0, 0).UTC()
	}
	if gap := number(2); gap > 0 {
		l.Gap = time.Unix(gap, 0).UTC()
	}
	l.Missed = number(3)
}

// EventLog reads the logs of experiments as one consumer. It is not safe for
// concurrent use.
type EventLog struct {
	store    *Store
	consumer string
	grouped  map[string]bool // streams that have their group, as far as is known
}

// EventLog is the reader of that name. What one has been given and has not said to
// be Done, it is given by Begun after its restart.
func (s *Store) EventLog(consumer string) *EventLog {
	return &EventLog{store: s, consumer: consumer, grouped: map[string]bool{}}
}

// abandoned is how long an entry stays with a reader before another takes it.
const abandoned = 5 * time.Minute

// TakeOver takes the entries that another reader was given long ago and has
// not done.
func (l *EventLog) TakeOver(ctx context.Context, lives []Life) error {
	l.forgetOthers(lives)
	lives, err := l.withGroup(ctx, lives)
	if err != nil {
		return err
	}
	for _, life := range lives {
		for start := "0-0"; ; {
			_, next, err := l.store.client.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{
				Stream: life.events(), Group: logGroup, Consumer: l.consumer, MinIdle: abandoned, Start: start, Count: portion,
			}).Result()
			if err != nil {
				return l.failed(life, err)
			}
			if start = next; next == "0-0" {
				break
			}
		}
	}
	return nil
}

// forgetOthers forgets the streams of experiments that are gone.
func (l *EventLog) forgetOthers(lives []Life) {
	kept := map[string]bool{}
	for _, life := range lives {
		if stream := life.events(); l.grouped[stream] {
			kept[stream] = true
		}
	}
	l.grouped = kept
}

// Begun are the entries that this reader was given and has not done, in order,
// for each of the lives.
func (l *EventLog) Begun(ctx context.Context, lives []Life) ([][]Counted, error) {
	return l.read(ctx, lives, "0", 0)
}

// Next are at most so many new entries of each of the lives, in order.
func (l *EventLog) Next(ctx context.Context, lives []Life, limit int64) ([][]Counted, error) {
	return l.read(ctx, lives, ">", limit)
}

func (l *EventLog) read(ctx context.Context, lives []Life, from string, limit int64) ([][]Counted, error) {
	all := make([][]Counted, len(lives))
	grouped, err := l.withGroup(ctx, lives)
	if err != nil || len(grouped) == 0 {
		return all, err
	}
	pipe := l.store.client.Pipeline()
	replies := map[string]*redis.XStreamSliceCmd{}
	for _, life := range grouped {
		replies[life.events()] = pipe.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: logGroup, Consumer: l.consumer, Streams: []string{life.events(), from}, Count: limit, Block: -1,
		})
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for i, life := range lives {
		reply := replies[life.events()]
		if reply == nil || errors.Is(reply.Err(), redis.Nil) {
			continue
		}
		if err := reply.Err(); err != nil {
			return nil, l.failed(life, err)
		}
		for _, stream := range reply.Val() {
			all[i] = entries(stream.Messages)
		}
	}
	return all, nil
}

// failed forgets what was believed of a stream: its group may be gone with the
// stream, when the experiment is deleted or Redis has lost its last writes.
func (l *EventLog) failed(life Life, err error) error {
	delete(l.grouped, life.events())
	return fmt.Errorf("redis: read log: %w", err)
}

// withGroup are those of the lives whose stream there is, each with its group.
// Where something else is in its place nothing can be logged: each event is missed.
func (l *EventLog) withGroup(ctx context.Context, lives []Life) ([]Life, error) {
	pipe := l.store.client.Pipeline()
	asked := map[string]*redis.Cmd{}
	for _, life := range lives {
		if stream := life.events(); !l.grouped[stream] {
			asked[stream] = l.store.scripts.group.EvalSha(ctx, pipe, []string{stream}, logGroup)
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for stream, command := range asked {
		there, err := command.Int()
		if err = redisError(err); errors.Is(err, errScriptsMissing) {
			if err = l.store.scripts.load(ctx, l.store.client); err == nil {
				return l.withGroup(ctx, lives)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if there == 1 {
			l.grouped[stream] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(lives), func(life Life) bool { return !l.grouped[life.events()] }), nil
}

// Done removes entries from the log, each of the lives in one step.
func (l *EventLog) Done(ctx context.Context, lives []Life, done [][]Counted) error {
	pipe := l.store.client.Pipeline()
	for i, life := range lives {
		for some := range slices.Chunk(done[i], portion) {
			ids := make([]any, 0, 1+len(some))
			ids = append(ids, logGroup)
			for _, entry := range some {
				ids = append(ids, entry.ID)
			}
			l.store.scripts.done.EvalSha(ctx, pipe, []string{life.events()}, ids...)
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	if err == nil {
		return nil
	}
	if err = redisError(err); errors.Is(err, errScriptsMissing) {
		if err = l.store.scripts.load(ctx, l.store.client); err == nil {
			return l.Done(ctx, lives, done)
		}
	}
	return err
}

func entries(messages []redis.XMessage) []Counted {
	all := make([]Counted, len(messages))
	for i, message := range messages {
		entry, err := read(message)
		if err != nil {
			entry = Counted{Problem: fmt.Errorf("entry %s: %w: %w", message.ID, ErrUnreadable, err)}
		}
		entry.ID = message.ID
		all[i] = entry
	}
	return all
}

func read(message redis.XMessage) (entry Counted, err error) {
	if entry.At, err = timeOf(message.ID); err != nil {
		return entry, err
	}
	counter, _ := message.Values["c"].(string)
	packed, _ := message.Values["f"].(string)
	values, _ := message.Values["x"].(string)
	entry.Event, entry.Variant, _ = strings.Cut(counter, ":")
	// A sink has text as Unicode without the character 0.
	if entry.Event == "" || entry.Variant == "" || strings.ContainsAny(entry.Variant, ":\x00") || strings.Contains(entry.Event, "\x00") || !utf8.ValidString(counter) {
		return entry, fmt.Errorf("counter %q", counter)
	}
	if len(packed) == 0 || len(packed)%fingerprintSize != 0 {
		return entry, fmt.Errorf("fingerprints of %d bytes", len(packed))
	}
	for ; len(packed) > 0; packed = packed[fingerprintSize:] {
		entry.Fingerprints = append(entry.Fingerprints, int64(binary.BigEndian.Uint64([]byte(packed[:fingerprintSize]))))
	}
	if values == "" {
		return entry, nil
	}
	if entry.Values, err = numbers(values); err != nil || len(entry.Values) != len(entry.Fingerprints) {
		return entry, fmt.Errorf("values %q", values)
	}
	return entry, nil
}

func numbers(text string) (all []float64, err error) {
	for word := range strings.FieldsSeq(text) {
		number, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, strconv.ErrRange
		}
		all = append(all, number)
	}
	return all, nil
}

// timeOf is the time in a stream's id, which begins with milliseconds.
func timeOf(id string) (time.Time, error) {
	text, _, _ := strings.Cut(id, "-")
	milliseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("entry %q: %w", id, err)
	}
	at := time.UnixMilli(milliseconds).UTC()
	if at.Year() > lastYear {
		return time.Time{}, fmt.Errorf("entry %q: %w", id, strconv.ErrRange)
	}
	return at, nil
}
