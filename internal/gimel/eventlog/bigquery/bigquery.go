// Package bigquery keeps events in Google BigQuery, by load jobs.
package bigquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"provision/internal/gimel/eventlog"
)

// Settings say where BigQuery is.
type Settings struct {
	Dataset     string // PROJECT.DATASET, which there has to be
	Credentials []byte // the key of a service account, as Google gives it: JSON
	Endpoint    string // URL of the API, "" for Google's
}

// Sink keeps events in the table counted of a dataset. It asks for it when it is
// first used, and again after an error.
type Sink struct {
	client  *bigquery.Client
	dataset *bigquery.Dataset
	created time.Time // of the table; zero where that is not known
	removed map[experimentName]bool
	trouble error // of the last job, where it was not with its rows

	mu     sync.Mutex // guards what Check changes
	counts map[lifeName]counts
}

// New makes a sink. It does not connect yet.
func New(settings Settings) (*Sink, error) {
	project, dataset, found := strings.Cut(settings.Dataset, ".")
	if !found || project == "" || dataset == "" {
		return nil, fmt.Errorf("bigquery: %q is not PROJECT.DATASET", settings.Dataset)
	}
	if err := CheckCredentials(settings.Credentials); err != nil {
		return nil, fmt.Errorf("bigquery: %w", err)
	}
	options := []option.ClientOption{option.WithAuthCredentialsJSON(option.ServiceAccount, settings.Credentials)}
	if settings.Endpoint != "" {
		options = append(options, option.WithEndpoint(strings.TrimSuffix(settings.Endpoint, "/")+"/bigquery/v2/"))
	}
	client, err := bigquery.NewClient(context.Background(), project, options...)
	if err != nil {
		return nil, fmt.Errorf("bigquery: %w", err)
	}
	return &Sink{client: client, dataset: client.Dataset(dataset), removed: map[experimentName]bool{}, counts: map[lifeName]counts{}}, nil
}

var errCredentials = errors.New("the credentials are no key of a service account in JSON")

// CheckCredentials sees that they are a service account's. Other kinds, as of a
// workload identity, may name programs and addresses to fetch tokens with.
func CheckCredentials(credentials []byte) error {
	var key struct {
		Type       string
		PrivateKey string `json:"private_key"`
	}
	// What is wrong with it would be told with parts of it.
	if json.Unmarshal(credentials, &key) != nil || key.Type != "service_account" || key.PrivateKey == "" {
		return errCredentials
	}
	return nil
}

// Close ends the client.
func (s *Sink) Close() error { return s.client.Close() }

// Pace implements eventlog.Paced: BigQuery takes 1,500 load jobs a day into a
// table, failed ones too (Quotas and limits, "Load jobs").
func (s *Sink) Pace() eventlog.Pace { return eventlog.Pace{Rows: 100_000, Pause: 2 * time.Minute} }

const (
	// patience bounds a job, which is found again by its id when it takes longer.
	patience = 10 * time.Minute
	// answersWithin bounds what is no job: the client tries again for as long as
	// it may.
	answersWithin = 30 * time.Second
)

// Commit implements eventlog.Sink: it returns when the batch's job is done. An
// empty batch asks whether it is the rows that were refused before: where it was
// not, as when all jobs of the day are used up, each experiment alone would only
// use up more.
func (s *Sink) Commit(ctx context.Context, batch eventlog.Batch) error {
	err := s.prepare(ctx)
	switch {
	case err != nil:
	case batch.Rows() == 0:
		err, s.trouble = s.trouble, nil
	default:
		err = s.load(ctx, batch)
		s.note(batch, err == nil)
		if s.trouble = err; areRows(err) {
			s.trouble = nil
		}
	}
	if err != nil {
		s.created = time.Time{}
		return fmt.Errorf("bigquery: %w", err)
	}
	return nil
}

func (s *Sink) query(ctx context.Context, statement string, parameters []bigquery.QueryParameter, read func(*bigquery.RowIterator) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.prepare(ctx)
	if err == nil {
		query := s.client.Query(s.named(statement))
		query.Parameters = parameters
		query.Location = s.client.Location
		query.DisableQueryCache = true
		var rows *bigquery.RowIterator
		if rows, err = query.Read(ctx); err == nil {
			err = read(rows)
		}
	}
	if err != nil {
		return fmt.Errorf("bigquery: %w", err)
	}
	return nil
}

// areRows says that a job has failed for what it was given (Error messages,
// "invalid").
func areRows(err error) bool {
	problem, is := errors.AsType[*bigquery.Error](err)
	return is && problem.Reason == "invalid"
}

// hasCode says whether the API has answered so.
func hasCode(err error, code int) bool {
	answer, is := errors.AsType[*googleapi.Error](err)
	return is && answer.Code == code
}

func isMissing(err error) bool { return hasCode(err, http.StatusNotFound) }
func isThere(err error) bool   { return hasCode(err, http.StatusConflict) }
