package main

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/recipe"
)

// leastLength is how many of rand.Text's signs have 128 bits: each has five.
const leastLength = 26

// mostLength is more than any program takes for a password.
const mostLength = 1024

func newGenerate(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "generate TASK.VARIABLE",
		Short: "set a variable to a random secret, which nobody has to know",
		Long: `Makes a secret of random capital letters and digits (2 to 7, five bits each),
and writes it encrypted into hosts.yaml, for all hosts or those of -l: so hosts
of a cluster share it. It is not printed. One that is there is not replaced
without --replace.`,
		Example: `  provision secret generate shop.token
  provision secret generate shop.token -l cluster --length 40
  provision secret generate shop.token -l web1 --replace`,
		Args: arguments(1, 1),
	}
	where, recipients := placeFlag(command), recipientFlag(command)
	length := command.Flags().Int("length", leastLength, "how `MANY` letters and digits")
	replace := command.Flags().Bool("replace", false, "also where a value is set already")
	command.RunE = func(_ *cobra.Command, args []string) error {
		if *length < leastLength || *length > mostLength {
			return usage(fmt.Errorf("--length %d: must be between %d, which is 128 bits, and %d", *length, leastLength, mostLength), "leave it out")
		}
		return f.encrypt(args[0], *where, *recipients, func(doc *inventory.Document, place inventory.Place) (recipe.Secret, error) {
			if doc.Has(place) && !*replace {
				return recipe.Secret{}, usage(fmt.Errorf("%s: is set already", place), "add --replace; the hosts get the new one with the next install")
			}
			return random(*length), nil
		}, func(place inventory.Place) { fmt.Fprintf(io.err, "generated %s, and encrypted it\n", place) })
	}
	return command
}

// random returns a secret of so many letters and digits.
func random(length int) recipe.Secret {
	var text strings.Builder
	for text.Len() < length {
		text.WriteString(rand.Text())
	}
	return recipe.NewSecret(text.String()[:length])
}
