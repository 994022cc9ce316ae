package bigquery

import (
	"context"
	"fmt"
	"strings"

	"cloud.google.com/go/bigquery"
)

// tableName is the table that load jobs append to. It may have an event more
// than once, where a batch came again in other groups: what reads it here reads
// each once.
const tableName = "counted"

// columns are those of docs/eventlog.md.
func columns() bigquery.Schema {
	column := func(name string, kind bigquery.FieldType, required bool, what string) *bigquery.FieldSchema {
		return &bigquery.FieldSchema{Name: name, Type: kind, Required: required, Description: what}
	}
	return bigquery.Schema{
		column("namespace", bigquery.StringFieldType, true, ""),
		column("experiment", bigquery.StringFieldType, true, ""),
		column("life", bigquery.StringFieldType, true, "of the experiment, until it is deleted"),
		column("began", bigquery.TimestampFieldType, true, "when the experiment's life did"),
		column("event", bigquery.StringFieldType, true, "participate, or a goal"),
		column("variant", bigquery.StringFieldType, true, ""),
		column("fingerprint", bigquery.IntegerFieldType, true, "of the visitor, in this experiment"),
		column("at", bigquery.TimestampFieldType, false, "null: counted and not logged"),
		column("value", bigquery.FloatFieldType, false, "of a goal that has values"),
	}
}

// Statements keep to what BigQuery and PostgreSQL both know, but for how names are
// quoted: so a test has PostgreSQL run them. {name} is a table of the dataset, and
// [at] the column, which is a reserved word there (Lexical structure, "Reserved
// keywords").
const (
	// countStatement reads the table, not the view: what it is asked by are the
	// columns of the partitions and clusters, so it reads one life's.
	countStatement = `SELECT event, variant, COUNT(*) AS events, COUNT(*) - COUNT([at]) AS untimed
FROM (
  SELECT event, variant, fingerprint, MIN([at]) AS [at] FROM {counted}
  WHERE namespace = @namespace AND experiment = @experiment AND life = @life AND began = @began
  GROUP BY event, variant, fingerprint
) AS once
GROUP BY event, variant`

	fingerprintsStatement = `SELECT DISTINCT fingerprint FROM {counted}
WHERE namespace = @namespace AND experiment = @experiment AND life = @life AND began = @began AND event = @event AND variant = @variant`

	removeStatement = `DELETE FROM {counted} WHERE namespace = @namespace AND experiment = @experiment`
	ofLife          = ` AND life = @life`
)

// views are what a person asks, in the order in which one needs the other.
var views = []struct{ name, statement string }{
	{"events", `SELECT namespace, experiment, life, began, event, variant, fingerprint, MIN([at]) AS [at], MAX(value) AS value
FROM {counted}
GROUP BY namespace, experiment, life, began, event, variant, fingerprint`},
	{"totals", `SELECT namespace, experiment, life, began, event, variant, COUNT(*) AS events, COUNT(*) - COUNT([at]) AS untimed,
  MIN([at]) AS first, MAX([at]) AS last, SUM(value) AS value
FROM {events}
GROUP BY namespace, experiment, life, began, event, variant`},
	{"daily", `SELECT namespace, experiment, life, event, variant, DATE([at]) AS day, COUNT(*) AS events, SUM(value) AS value
FROM {events}
WHERE [at] IS NOT NULL
GROUP BY namespace, experiment, life, event, variant, day`},
}

// named puts the dataset's names into a statement.
func (s *Sink) named(statement string) string {
	dataset := "`" + s.dataset.ProjectID + "." + s.dataset.DatasetID + "."
	return strings.NewReplacer("{", dataset, "}", "`", "[", "`", "]", "`").Replace(statement)
}

// prepare makes the table and the views where they are not, and learns where the
// dataset is: a job has to be in the same place.
func (s *Sink) prepare(ctx context.Context) error {
	if !s.created.IsZero() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	place, err := s.dataset.Metadata(ctx)
	if err != nil {
		return fmt.Errorf("dataset %s: %w", s.dataset.DatasetID, err)
	}
	s.client.Location = place.Location
	table := s.dataset.Table(tableName)
	found, err := table.Metadata(ctx)
	if isMissing(err) {
		err = table.Create(ctx, &bigquery.TableMetadata{
			Description: "Events that gimel counted; the view events has each once.", Schema: columns(),
			// By the month in which the experiment began, as in PostgreSQL.
			TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.MonthPartitioningType, Field: "began"},
			Clustering:       &bigquery.Clustering{Fields: []string{"namespace", "experiment", "life", "event"}},
		})
		if err == nil || isThere(err) {
			found, err = table.Metadata(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("table %s: %w", tableName, err)
	}
	for _, view := range views {
		err := s.dataset.Table(view.name).Create(ctx, &bigquery.TableMetadata{ViewQuery: s.named(view.statement)})
		if err != nil && !isThere(err) {
			return fmt.Errorf("view %s: %w", view.name, err)
		}
	}
	s.created = found.CreationTime
	return nil
}
