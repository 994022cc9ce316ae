package bigquery

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"cloud.google.com/go/bigquery"

	"provision/internal/gimel/eventlog"
)

// encode writes a batch as NDJSON.
func encode(batch eventlog.Batch) ([]byte, error) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, part := range batch.Parts {
		for _, row := range part.Rows {
			if err := encoder.Encode(eventlog.LineOf(part.Life, row)); err != nil {
				return nil, err
			}
		}
	}
	return lines.Bytes(), nil
}

// load appends a batch to the table. A job appends all of its rows or none, and
// of an id there is one job: the same batch, sent again by this process or the
// next, is the job that there is.
func (s *Sink) load(ctx context.Context, batch eventlog.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	content, err := encode(batch)
	if err != nil {
		return err
	}
	id := s.jobID(content, s.mayBeGone(batch))
	var job *bigquery.Job
	try := 0
	if batch.Again {
		if job, try, err = s.earlier(ctx, id); err != nil {
			return err
		}
	}
	if job == nil {
		job, err = s.insert(ctx, nameOfTry(id, try), content)
		if isThere(err) { // the client sent it twice: after a 503, for one
			job, err = s.client.JobFromIDLocation(ctx, nameOfTry(id, try), s.client.Location)
		}
	}
	if err != nil {
		return err
	}
	return await(ctx, job, batch.Rows())
}

func nameOfTry(id string, try int) string { return fmt.Sprintf("%s-%d", id, try) }

// mayBeGone says that rows of a batch may have been appended and taken away again:
// those that are filled in, and those of an experiment that was removed.
func (s *Sink) mayBeGone(batch eventlog.Batch) bool {
	return slices.ContainsFunc(batch.Parts, func(part eventlog.Part) bool {
		return s.removed[experimentName{part.Life.Namespace, part.Life.Experiment}] ||
			slices.ContainsFunc(part.Rows, func(row eventlog.Row) bool { return row.At.IsZero() })
	})
}

// jobID is the digest of what is appended, and of what to: a table that was made
// anew has nothing of what its name had. What may be gone is appended whenever it
// comes: a job that has appended it before says nothing.
func (s *Sink) jobID(content []byte, mayBeGone bool) string {
	digest := sha256.New()
	fmt.Fprintf(digest, "%s.%s %d\n", s.dataset.ProjectID, s.dataset.DatasetID, s.created.UnixMilli())
	digest.Write(content)
	if mayBeGone {
		digest.Write([]byte(rand.Text()))
	}
	return fmt.Sprintf("gimel-%x", digest.Sum(nil)[:16])
}

// earlier finds the job that appends a batch or has done so; nil, and the number
// of the next try, where there is none. A failed one keeps its id.
func (s *Sink) earlier(ctx context.Context, id string) (job *bigquery.Job, try int, err error) {
	for ; ; try++ {
		job, err := s.client.JobFromIDLocation(ctx, nameOfTry(id, try), s.client.Location)
		if isMissing(err) {
			return nil, try, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if status := job.LastStatus(); !status.Done() || status.Err() == nil {
			return job, try, nil
		}
	}
}

func (s *Sink) insert(ctx context.Context, id string, content []byte) (*bigquery.Job, error) {
	source := bigquery.NewReaderSource(bytes.NewReader(content))
	source.SourceFormat = bigquery.JSON
	loader := s.dataset.Table(tableName).LoaderFrom(source)
	loader.JobID = id
	loader.CreateDisposition = bigquery.CreateNever
	loader.WriteDisposition = bigquery.WriteAppend
	return loader.Run(ctx)
}

// await returns when the job has appended so many rows.
func await(ctx context.Context, job *bigquery.Job, rows int) error {
	status, err := job.Wait(ctx)
	if err == nil {
		err = status.Err()
	}
	if err != nil {
		return fmt.Errorf("job %s: %w", job.ID(), err)
	}
	if loaded, is := status.Statistics.Details.(*bigquery.LoadStatistics); !is || loaded.OutputRows != int64(rows) {
		return fmt.Errorf("job %s: has appended another number of rows than the %d of the batch", job.ID(), rows)
	}
	return nil
}
