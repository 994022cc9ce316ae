package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/report"
)

// digest returns what two plans have in common exactly when they make the same changes of
// the same host. Secrets do not go into it: a password can be guessed, and whoever has the
// file could try each guess. So a plan is not stale because a secret has another value.
// The salt keeps a digest from telling anything about other content without the file.
func digest(salt []byte, plan engine.Plan, secrets []string) (string, error) {
	masker := report.NewMasker(secrets)
	sum := hmac.New(sha256.New, salt)
	encoder := json.NewEncoder(sum)
	system := plan.Platform
	system.CPUs, system.MemoryMB = 0, 0 // what depends on them is in the changes
	if err := encoder.Encode(system); err != nil {
		return "", err
	}
	for _, planned := range plan.Changes() {
		change := planned.Change
		if change.Diff != nil {
			diff := *change.Diff
			diff.Before, diff.After = masked(masker, diff.Before), masked(masker, diff.After)
			if diff.Secret {
				diff.Before, diff.After = nil, nil
			}
			change.Diff = &diff
		}
		steps := change.Steps
		change.Steps = nil
		if err := encoder.Encode([]any{planned.Item.Resource.ID(), planned.Item.Task, change}); err != nil {
			return "", err
		}
		if err := encodeSteps(encoder, masker, steps); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// encodeSteps writes steps without secrets, and without what differs from one time of
// asking to the next though the change is the same.
func encodeSteps(encoder *json.Encoder, masker *report.Masker, steps []recipe.Step) error {
	for _, step := range steps {
		switch s := step.(type) {
		case recipe.WriteFile:
			s.Content = masked(masker, s.Content)
			if s.Secret {
				s.Content = nil
			}
			step = s
		case recipe.Exec:
			s.Script, s.Input, s.Outcome = masker.Mask(s.Script), recipe.Secret{}, nil
			step = s
		case recipe.InstallPackages:
			s.Update = false // the lists' age decides it
			step = s
		case recipe.Rehearse:
			if err := encodeSteps(encoder, masker, s.Steps); err != nil {
				return err
			}
			s.Steps = nil
			step = s
		}
		if err := encoder.Encode([]any{fmt.Sprintf("%T", step), step}); err != nil {
			return err
		}
	}
	return nil
}

func masked(masker *report.Masker, content []byte) []byte {
	if content == nil {
		return nil
	}
	return []byte(masker.Mask(string(content)))
}
