package bigquerytest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// table is the resource Table of the reference, as far as gimel has it.
type table struct {
	Reference struct {
		Table string `json:"tableId"`
	} `json:"tableReference"`
	Schema struct {
		Fields []field `json:"fields"`
	} `json:"schema"`
	View *struct {
		Query     string `json:"query"`
		LegacySQL *bool  `json:"useLegacySql"`
	} `json:"view"`
	Partitioning *struct {
		Type, Field string
	} `json:"timePartitioning"`
	Clustering *struct {
		Fields []string
	} `json:"clustering"`

	created time.Time
}

type field struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Mode string `json:"mode"`
}

// kinds are PostgreSQL's for BigQuery's.
var kinds = map[string]string{"STRING": "text", "INTEGER": "bigint", "FLOAT": "double precision", "TIMESTAMP": "timestamptz"}

func (s *Server) getDataset(r *http.Request) (any, error) {
	if name := r.PathValue("dataset"); name != Dataset {
		return nil, notFound("Dataset", Project+":"+name)
	}
	return map[string]any{
		"kind": "bigquery#dataset", "location": Location, "datasetReference": map[string]any{"projectId": Project, "datasetId": Dataset},
	}, nil
}

func (s *Server) getTable(r *http.Request) (any, error) {
	if _, err := s.getDataset(r); err != nil {
		return nil, err
	}
	name := r.PathValue("table")
	s.mu.Lock()
	found := s.tables[name]
	s.mu.Unlock()
	if found == nil {
		return nil, notFound("Table", Project+":"+Dataset+"."+name)
	}
	return map[string]any{
		"kind": "bigquery#table", "type": "TABLE", "location": Location, "creationTime": fmt.Sprint(found.created.UnixMilli()),
		"tableReference": map[string]any{"projectId": Project, "datasetId": Dataset, "tableId": name},
	}, nil
}

func (s *Server) insertTable(r *http.Request) (any, error) {
	if _, err := s.getDataset(r); err != nil {
		return nil, err
	}
	asked := &table{created: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(asked); err != nil {
		return nil, err
	}
	name := asked.Reference.Table
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[name] != nil {
		return nil, duplicate("Table", Project+":"+Dataset+"."+name)
	}
	statement, err := asked.statement()
	if err != nil {
		return nil, err
	}
	if _, err := s.db.Exec(context.Background(), statement); err != nil {
		return nil, err
	}
	s.tables[name] = asked
	return asked, nil
}

// statement makes the table in PostgreSQL.
func (t *table) statement() (string, error) {
	name := pgx.Identifier{Dataset, t.Reference.Table}.Sanitize()
	if t.View != nil {
		if t.View.LegacySQL == nil || *t.View.LegacySQL {
			return "", fmt.Errorf("view %s: legacy SQL is the default", name)
		}
		query, _, err := translate(t.View.Query, nil)
		return "create view " + name + " as " + query, err
	}
	var columns []string
	known := map[string]bool{}
	for _, field := range t.Schema.Fields {
		kind, there := kinds[field.Type]
		if !there {
			return "", fmt.Errorf("column %s: no type %s here", field.Name, field.Type)
		}
		if field.Mode == "REQUIRED" {
			kind += " not null"
		}
		known[field.Name] = true
		columns = append(columns, pgx.Identifier{field.Name}.Sanitize()+" "+kind)
	}
	for _, name := range append(t.Clustering.Fields, t.Partitioning.Field) {
		if !known[name] {
			return "", fmt.Errorf("the field specified for partitioning or clustering cannot be found in the schema: %s", name)
		}
	}
	return "create table " + name + " (" + strings.Join(columns, ", ") + ")", nil
}
