// Command gimel is an A/B testing backend on Redis, for pages with the AlephBet
// client.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `usage: gimel [COMMAND] [flags]

commands:
  serve         answer requests (the default)
  eventlog      bring the events that serve logs to PostgreSQL, BigQuery or files
  recount       ask the eventlog of this machine whether rows and counters agree
  import        take over the counters of a gimel or lamed Redis
  ready         ask the gimel of this machine whether it can count
  verify        count an event through the site, and see that it is counted once
  check-config  read the configuration and the secrets, and say what is wrong
  version       print the version

gimel COMMAND --help shows a command's flags.
`

func main() {
	err := run(os.Args[1:], os.Environ(), os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "gimel: %v\n", err)
		if errors.Is(err, errDisagree) {
			os.Exit(3)
		}
		os.Exit(1)
	}
}

func run(arguments, environment []string, stdout io.Writer) error {
	command := "serve"
	if len(arguments) > 0 && !strings.HasPrefix(arguments[0], "-") {
		command, arguments = arguments[0], arguments[1:]
	}
	switch command {
	case "serve":
		return serve(arguments, environment, stdout)
	case "eventlog":
		return eventLog(arguments, environment, stdout)
	case "recount":
		return recount(arguments, stdout)
	case "import":
		return importCounters(arguments, environment, stdout)
	case "ready":
		return ready(arguments, stdout)
	case "verify":
		return verify(arguments, stdout)
	case "check-config":
		_, err := configure(command, arguments, environment, stdout)
		return err
	case "version":
		fmt.Fprintln(stdout, programVersion())
		return nil
	case "help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	return fmt.Errorf("unknown command %q; gimel help lists them", command)
}
