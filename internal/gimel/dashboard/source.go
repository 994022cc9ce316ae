package dashboard

import (
	"context"

	"provision/internal/gimel/results"
)

// Source is where the dashboard reads from. It only ever reads.
type Source interface {
	// Experiments lists a namespace's experiments; order does not matter.
	Experiments(ctx context.Context, namespace string) ([]results.Detail, error)
	// Experiment returns one experiment, or results.ErrNotFound, which the
	// handler answers with 404, or store.ErrUnreadable, with 500; any other error
	// becomes 503.
	Experiment(ctx context.Context, namespace, name string) (results.Detail, error)
	// Namespaces lists those that have experiments.
	Namespaces(ctx context.Context) ([]string, error)
	// TurnedAway is how many events of a namespace were dropped because there
	// were too many experiments that nobody declared.
	TurnedAway(namespace string) int64
}
