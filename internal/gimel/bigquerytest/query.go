package bigquerytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/cloudspannerecosystem/memefish"
	"github.com/jackc/pgx/v5"
)

type parameter struct {
	Name string `json:"name"`
	Type struct {
		Type string `json:"type"`
	} `json:"parameterType"`
	Value struct {
		Value string `json:"value"`
	} `json:"parameterValue"`
}

var (
	tableForm     = regexp.MustCompile("`([^`]+)`")
	parameterForm = regexp.MustCompile(`@([a-z]+)`)
)

// translate makes a statement of GoogleSQL PostgreSQL's: names between backticks
// and parameters; the rest has to be what both know.
func translate(statement string, parameters []parameter) (translated string, values []any, err error) {
	if _, err := memefish.ParseStatement("", statement); err != nil { // GoogleSQL's grammar, as Spanner has it
		return "", nil, fmt.Errorf("syntax error: %w", err)
	}
	translated = tableForm.ReplaceAllStringFunc(statement, func(name string) string {
		parts := strings.Split(strings.Trim(name, "`"), ".")
		if len(parts) == 1 {
			return pgx.Identifier(parts).Sanitize()
		}
		if len(parts) != 3 || parts[0] != Project || parts[1] != Dataset {
			err = fmt.Errorf("not found: %s", name)
			return name
		}
		return pgx.Identifier(parts[1:]).Sanitize()
	})
	translated = parameterForm.ReplaceAllStringFunc(translated, func(name string) string {
		for i, parameter := range parameters {
			if "@"+parameter.Name == name {
				kind := map[string]string{"STRING": "text", "TIMESTAMP": "timestamptz"}[parameter.Type.Type]
				return fmt.Sprintf("$%d::text::%s", i+1, kind)
			}
		}
		err = fmt.Errorf("query parameter '%s' not found", name)
		return name
	})
	for _, parameter := range parameters {
		values = append(values, parameter.Value.Value)
	}
	return translated, values, err
}

// Ask runs a statement of GoogleSQL without parameters, and answers as psql -At
// does.
func (s *Server) Ask(statement string) string {
	s.t.Helper()
	translated, _, err := translate(statement, nil)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, statement)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results, err := s.db.PgConn().Exec(context.Background(), translated).ReadAll()
	if err != nil {
		s.t.Fatalf("%v\n%s", err, statement)
	}
	var lines strings.Builder
	for _, fields := range results[0].Rows {
		lines.Write(bytes.Join(fields, []byte("|")))
		lines.WriteByte('\n')
	}
	return lines.String()
}

// query answers jobs.query.
func (s *Server) query(r *http.Request) (any, error) {
	var asked struct {
		Query      string      `json:"query"`
		LegacySQL  *bool       `json:"useLegacySql"`
		Location   string      `json:"location"`
		Parameters []parameter `json:"queryParameters"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	if asked.LegacySQL == nil || *asked.LegacySQL || asked.Location != Location {
		return nil, errors.New("legacy SQL, or another location than the dataset's")
	}
	statement, values, err := translate(asked.Query, asked.Parameters)
	if err != nil {
		return nil, apiError{http.StatusBadRequest, "invalidQuery", err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.db.Query(context.Background(), statement, values...)
	if err != nil {
		return nil, apiError{http.StatusBadRequest, "invalidQuery", err.Error()}
	}
	rows, fields, err := answer(found)
	if err != nil {
		return nil, apiError{http.StatusBadRequest, "invalidQuery", err.Error()}
	}
	id := fmt.Sprint("query-", len(s.queries))
	said := map[string]any{
		"jobComplete": true, "totalRows": fmt.Sprint(len(rows)), "rows": rows, "schema": map[string]any{"fields": fields},
		"jobReference": map[string]any{"projectId": Project, "jobId": id, "location": Location},
	}
	if len(fields) == 0 {
		delete(said, "schema")
		said["numDmlAffectedRows"] = fmt.Sprint(found.CommandTag().RowsAffected())
	}
	s.queries[id] = said
	return said, nil
}

// queryResults answers jobs.getQueryResults.
func (s *Server) queryResults(r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.queries[r.PathValue("job")]
	if said == nil || r.FormValue("location") != Location {
		return nil, notFound("Job", Project+":"+r.PathValue("job"))
	}
	return said, nil
}

// answer is rows as the reference has them: {"f": [{"v": "text"}]}.
func answer(found pgx.Rows) (rows, fields []any, err error) {
	defer found.Close()
	for _, description := range found.FieldDescriptions() {
		kind := "STRING"
		if description.DataTypeOID == 20 { // int8
			kind = "INTEGER"
		}
		fields = append(fields, map[string]any{"name": description.Name, "type": kind, "mode": "NULLABLE"})
	}
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return nil, nil, err
		}
		var cells []any
		for _, value := range values {
			cells = append(cells, map[string]any{"v": fmt.Sprint(value)})
		}
		rows = append(rows, map[string]any{"f": cells})
	}
	return rows, fields, found.Err()
}
