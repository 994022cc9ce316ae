package bigquerytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// job is the resource Job of the reference, of a load.
type job struct {
	Reference struct {
		Project  string `json:"projectId"`
		ID       string `json:"jobId"`
		Location string `json:"location"`
	} `json:"jobReference"`
	Configuration struct {
		Load *struct {
			Format      string `json:"sourceFormat"`
			Create      string `json:"createDisposition"`
			Write       string `json:"writeDisposition"`
			BadRecords  int64  `json:"maxBadRecords"`
			Unknown     bool   `json:"ignoreUnknownValues"`
			Destination struct {
				Project string `json:"projectId"`
				Dataset string `json:"datasetId"`
				Table   string `json:"tableId"`
			} `json:"destinationTable"`
		} `json:"load"`
	} `json:"configuration"`

	done time.Time // when it is
	rows int64
	size int
	err  *apiError
}

// resource is the job as it is told now.
func (j *job) resource() any {
	state := map[string]any{"state": "RUNNING"}
	statistics := map[string]any{"creationTime": fmt.Sprint(time.Now().UnixMilli())}
	if !time.Now().Before(j.done) {
		state["state"] = "DONE"
		if j.err != nil {
			problem := map[string]any{"reason": j.err.reason, "message": j.err.message}
			state["errorResult"], state["errors"] = problem, []any{problem}
		}
		statistics["load"] = map[string]any{"inputFiles": "1", "inputFileBytes": fmt.Sprint(j.size), "outputRows": fmt.Sprint(j.rows), "outputBytes": fmt.Sprint(j.size)}
	}
	return map[string]any{"kind": "bigquery#job", "jobReference": j.Reference, "configuration": j.Configuration, "status": state, "statistics": statistics}
}

func (s *Server) getJob(r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.jobs[r.PathValue("job")]
	// Outside of the US and the EU a job is found by its location alone (jobs.get).
	if found == nil || r.FormValue("location") != Location {
		return nil, notFound("Job", Project+":"+r.PathValue("job"))
	}
	return found.resource(), nil
}

// insertJob takes a job with its rows in one request, or begins an upload
// (reference, "Loading data with a POST request").
func (s *Server) insertJob(r *http.Request) (any, error) {
	if r.FormValue("upload_id") != "" { // Google's client for Go sends chunks by POST, where the reference has PUT
		return s.continueUpload(r)
	}
	switch r.FormValue("uploadType") {
	case "multipart":
		_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			return nil, err
		}
		parts := multipart.NewReader(r.Body, parameters["boundary"])
		var both [2][]byte
		for i := range both {
			part, err := parts.NextPart()
			if err != nil {
				return nil, err
			}
			if both[i], err = io.ReadAll(part); err != nil {
				return nil, err
			}
		}
		return s.run(both[0], both[1])
	case "resumable":
		return s.beginUpload(r)
	}
	return nil, errors.New("uploadType is neither multipart nor resumable")
}

// run does a job, whose end is told when it is time.
func (s *Server) run(description, content []byte) (any, error) {
	asked := &job{size: len(content)}
	if err := json.Unmarshal(description, asked); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[asked.Reference.ID] != nil {
		return nil, duplicate("Job", Project+":"+Location+"."+asked.Reference.ID)
	}
	load := asked.Configuration.Load
	if load == nil || load.Format != "NEWLINE_DELIMITED_JSON" || load.Create != "CREATE_NEVER" || load.Write != "WRITE_APPEND" || load.BadRecords != 0 || load.Unknown {
		return nil, fmt.Errorf("not a job that gimel should ask for: %s", description)
	}
	asked.done = time.Now().Add(s.slow)
	s.jobs[asked.Reference.ID] = asked
	if fault := s.jobFault(); fault != nil {
		asked.err = fault
	} else if problem := s.append(asked, content); problem != nil {
		asked.err = &apiError{reason: "invalid", message: problem.Error()}
		if missing, is := problem.(apiError); is {
			asked.err = &missing
		}
	}
	return asked.resource(), nil
}

// FailJob makes the next job end with an error: method "job" of a Fault.
const FailJob = "job"

func (s *Server) jobFault() *apiError {
	for i, fault := range s.faults {
		if fault.Method == FailJob {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return &apiError{reason: fault.Reason, message: "as the test wants it"}
		}
	}
	return nil
}

// append adds all rows, or none.
func (s *Server) append(j *job, content []byte) error {
	to := j.Configuration.Load.Destination
	found := s.tables[to.Table]
	if found == nil || found.View != nil || to.Project != Project || to.Dataset != Dataset {
		return apiError{reason: "notFound", message: fmt.Sprintf("Not found: Table %s:%s.%s", to.Project, to.Dataset, to.Table)}
	}
	fields := found.Schema.Fields // a job without a schema has that of its table
	var columns []string
	for _, field := range fields {
		columns = append(columns, field.Name)
	}
	ctx := context.Background() // a connection ends with a context
	return pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		name := pgx.Identifier{Dataset, to.Table}.Sanitize()
		for text := range bytes.Lines(content) {
			values, err := row(text, fields)
			if err != nil {
				return err
			}
			marks := make([]string, len(columns))
			for i := range columns {
				marks[i] = fmt.Sprintf("$%d::text::%s", i+1, kinds[fields[i].Type])
			}
			statement := "insert into " + name + " (" + strings.Join(columns, ", ") + ") values (" + strings.Join(marks, ", ") + ")"
			var tag pgconn.CommandTag
			if tag, err = tx.Exec(ctx, statement, values...); err != nil {
				return err
			}
			j.rows += tag.RowsAffected()
		}
		return nil
	})
}

// row reads a line as the schema has it. Integers beyond 2^53 have to be text, as
// the documentation of loading JSON has it; others may not be unknown.
func row(text []byte, fields []field) ([]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, fmt.Errorf("error while reading data: %w", err)
	}
	values := make([]any, len(fields))
	for i, field := range fields {
		switch value := object[field.Name].(type) {
		case nil:
		case string:
			values[i] = value
		case json.Number:
			number, err := value.Float64()
			if err != nil || field.Type == "INTEGER" && (number > 1<<53-1 || number < 1-1<<53) {
				return nil, fmt.Errorf("could not parse '%s' as INT64 for field %s", value, field.Name)
			}
			values[i] = value.String()
		default:
			return nil, fmt.Errorf("could not parse %v for field %s", value, field.Name)
		}
		delete(object, field.Name)
	}
	for name := range object {
		return nil, fmt.Errorf("no such field: %s", name)
	}
	return values, nil
}
