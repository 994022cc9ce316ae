package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"provision/internal/gimel/store"
)

// importCounters takes over the counters of another Redis.
func importCounters(arguments, environment []string, stdout io.Writer) error {
	var from, passwordFile, namespace string
	config, err := configure("import", arguments, environment, stdout, func(flags *flag.FlagSet) {
		flags.StringVar(&from, "from", "", "`URL` of the Redis of a gimel or a lamed, as --redis")
		flags.StringVar(&passwordFile, "from-password-file", "", "`FILE` with its password")
		flags.StringVar(&namespace, "namespace", "", "`NAMESPACE` to take over (default: all)")
	})
	if err != nil {
		return err
	}
	if from == "" {
		return errors.New("import: --from URL is needed")
	}
	var password []byte
	if passwordFile != "" {
		if password, err = os.ReadFile(passwordFile); err != nil {
			return err
		}
	}
	source, err := store.Connect(store.Address{URL: from, Password: strings.TrimRight(string(password), "\r\n"),
		AuthorityFile: config.Redis.CAFile, Timeout: config.Redis.Timeout})
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	defer source.Close()
	client, err := config.connect()
	if err != nil {
		return err
	}
	defer client.Close()

	taken, err := config.store(client).TakeOver(context.Background(), source, namespace)
	count := 0
	for _, one := range taken {
		if one.Skipped != "" {
			fmt.Fprintf(stdout, "skipped  %s: %s\n", one.Key, one.Skipped)
			continue
		}
		count++
		fmt.Fprintf(stdout, "%8d %s\n", one.Count, one.Key)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d counters taken over, %d skipped\n", count, len(taken)-count)
	return nil
}
