package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxProgramText is the most that a program may print, and a file in JSON may be, in bytes: what cloud
// inventories say of each host is long.
const maxProgramText = 32 << 20

// jsonReader turns JSON into a tree with places, and refuses keys that stand twice.
type jsonReader struct {
	file    string
	data    []byte
	decoder *json.Decoder
	errs    Errors

	line, column int // of the place up to which lines were counted
	counted      int
}

// parseJSON reads one value.
func parseJSON(file string, data []byte) (*node, error) {
	if len(data) > maxProgramText {
		return nil, &Error{Position: Position{File: file}, Problem: "larger than 32 MiB", Advice: "this is hardly the inventory that was meant"}
	}
	r := &jsonReader{file: file, data: data, decoder: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err == nil {
		if _, more := r.decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("has something behind the object")
		}
	}
	if err != nil {
		return nil, &Error{Position: r.at(), What: "JSON", Problem: jsonProblem(err), Advice: "one object, as ansible-inventory --list prints it"}
	}
	return root, r.errs.result()
}

func jsonProblem(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "ends before it is whole"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// at is where the decoder is, on the token that comes next.
func (r *jsonReader) at() Position {
	end := min(int(r.decoder.InputOffset()), len(r.data))
	for end < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[end]) >= 0 {
		end++
	}
	for r.counted < end {
		char, size := utf8.DecodeRune(r.data[r.counted:])
		r.counted += size
		if r.column++; char == '\n' {
			r.line, r.column = r.line+1, 1
		}
	}
	return Position{r.file, r.line, r.column}
}

func (r *jsonReader) value(depth int) (*node, error) {
	n := &node{at: r.at()}
	if depth > 100 {
		return nil, errors.New("nested too deep")
	}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			n.kind = kindList
			for r.decoder.More() {
				item, err := r.value(depth + 1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
		} else {
			n.kind, n.index = kindMapping, map[string]int{}
			if err := r.entries(n, depth); err != nil {
				return nil, err
			}
		}
		_, err := r.decoder.Token()
		return n, err
	case string:
		n.kind, n.text = kindString, token
	case json.Number:
		n.kind, n.text = kindOther, token.String()
		if whole.MatchString(n.text) {
			n.kind = kindInt
			fmt.Sscan(n.text, &n.whole)
		}
	case bool:
		n.kind, n.text = kindBool, fmt.Sprint(token)
	}
	return n, nil
}

func (r *jsonReader) entries(n *node, depth int) error {
	for r.decoder.More() {
		at := r.at()
		key, err := r.decoder.Token()
		if err != nil {
			return err
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		name, _ := key.(string) // a key of JSON's is one
		if before := n.pair(name); before != nil {
			r.errs = append(r.errs, &Error{Position: at, Problem: fmt.Sprintf("key %q: stands twice, first at %s", short(name), before.key.at), Advice: "remove one of the two"})
			continue
		}
		n.put(name, at, value)
	}
	return nil
}
