package settings

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// assignment is one key and value from the environment or a file.
type assignment struct{ key, value, origin string }

type assignments []assignment

func (a assignments) valueOf(key string) string {
	for _, one := range a {
		if one.key == key {
			return one.value
		}
	}
	return ""
}

// fromEnvironment takes the GIMEL_* variables; GIMEL_API_KEY_FILE is the flag
// api-key-file.
func fromEnvironment(environment []string, known map[string]bool) (assignments, error) {
	var found assignments
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, "GIMEL_")
		if !ours {
			continue
		}
		key := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !known[key] {
			return nil, fmt.Errorf("environment: unknown variable %s", name)
		}
		found = append(found, assignment{key: key, value: value, origin: "environment: " + name})
	}
	return found, nil
}

// fromFile reads lines of KEY = VALUE. Empty lines and lines that begin with
// '#' say nothing.
func fromFile(path string, known map[string]bool) (assignments, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var found assignments
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		origin := path + ":" + strconv.Itoa(number)
		key, value, isPair := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		switch {
		case !isPair:
			return nil, fmt.Errorf("%s: expected KEY = VALUE", origin)
		case !known[key] || key == "config":
			return nil, fmt.Errorf("%s: unknown key %q", origin, key)
		case slices.ContainsFunc(found, func(a assignment) bool { return a.key == key }):
			return nil, fmt.Errorf("%s: %s is set twice", origin, key)
		}
		found = append(found, assignment{key: key, value: strings.TrimSpace(value), origin: origin + ": " + key})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return found, nil
}

func list(flags *flag.FlagSet, target *[]string, name, preset, usage string) {
	set := func(text string) error {
		*target = nil
		if text == "" {
			return nil
		}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item == "" {
				return errors.New("an item is empty")
			}
			*target = append(*target, item)
		}
		return nil
	}
	if preset != "" {
		usage += " (default " + preset + ")"
		*target = strings.Split(preset, ",")
	}
	flags.Func(name, usage, set)
}

func integer(flags *flag.FlagSet, target *int, name string, preset, least int, usage string) {
	*target = preset
	usage = fmt.Sprintf("`NUMBER`: %s (default %d)", usage, preset)
	flags.Func(name, usage, func(text string) error {
		number, err := strconv.Atoi(text)
		if err != nil || number < least {
			return fmt.Errorf("not a whole number of at least %d", least)
		}
		*target = number
		return nil
	})
}

func positive(flags *flag.FlagSet, target *time.Duration, name string, preset time.Duration, usage string) {
	*target = preset
	usage = fmt.Sprintf("`DURATION`: %s (default %s)", usage, preset)
	flags.Func(name, usage, func(text string) error {
		duration, err := time.ParseDuration(text)
		if err != nil || duration <= 0 {
			return errors.New("not a duration such as 500ms or 2s")
		}
		*target = duration
		return nil
	})
}

// size is a number of bytes, as Redis has them: 64mb; off is 0.
func size(flags *flag.FlagSet, target *int64, name, usage string) {
	flags.Func(name, "`SIZE`, as 64mb: "+usage+" (default off)", func(text string) error {
		if text == "off" {
			*target = 0
			return nil
		}
		for unit, bytes := range map[string]int64{"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30} {
			if digits, ok := strings.CutSuffix(text, unit); ok {
				number, err := strconv.ParseInt(digits, 10, 32)
				if err == nil && number > 0 {
					*target = number * bytes
					return nil
				}
			}
		}
		return errors.New("neither a size such as 64mb nor off")
	})
}
