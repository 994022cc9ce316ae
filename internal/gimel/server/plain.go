package server

import (
	"bytes"
	"strings"
)

// plainEvent recognises, at the start of what a connection has sent, a request
// for one of paths that is nothing but its query: a GET of HTTP/1.1, complete,
// without a body, which asks nothing of the connection. size is that of the
// request. Whatever is unusual is not plain, valid or not: net/http knows what
// to do with it. So this may be strict where net/http (and RFC 9112) is not,
// but must never accept what net/http reads otherwise; FuzzPlainEvent holds
// the two together.
func plainEvent(received []byte, paths []string) (query string, size int, plain bool) {
	end := bytes.Index(received, []byte("\r\n\r\n"))
	if end < 0 {
		return "", 0, false
	}
	line, headers, _ := bytes.Cut(received[:end+2], []byte("\r\n"))
	target, isGet := bytes.CutPrefix(line, []byte("GET "))
	target, isVersion := bytes.CutSuffix(target, []byte(" HTTP/1.1"))
	path, rawQuery, hasQuery := bytes.Cut(target, []byte("?"))
	if !isGet || !isVersion || !hasQuery || !among(paths, path) || !visible(rawQuery) || !plainHeaders(headers) {
		return "", 0, false
	}
	return string(rawQuery), end + len("\r\n\r\n"), true
}

func among(paths []string, path []byte) bool {
	for _, one := range paths {
		if one == string(path) {
			return true
		}
	}
	return false
}

// visible says whether text is ASCII without spaces and control characters.
func visible(text []byte) bool {
	for _, char := range text {
		if char <= ' ' || char >= 0x7f {
			return false
		}
	}
	return true
}

// plainHeaders says whether every line is a header that concerns the page
// alone, and one of them the host.
func plainHeaders(lines []byte) bool {
	hosts := 0
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte("\r\n"))
		lines = rest
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !isHeaderName(name) || !isHeaderValue(value) {
			return false
		}
		if strings.EqualFold(string(name), "Host") {
			if hosts++; !isHost(bytes.TrimSpace(value)) {
				return false
			}
		}
		// A browser's "Connection: keep-alive" is what HTTP/1.1 does anyway.
		if concernsConnection(name) && !strings.EqualFold(string(bytes.TrimSpace(value)), "keep-alive") {
			return false
		}
	}
	return hosts == 1
}

func isHeaderName(name []byte) bool {
	for _, char := range name {
		if !isLetterOrDigit(char) && char != '-' {
			return false
		}
	}
	return len(name) > 0
}

func isHeaderValue(value []byte) bool {
	for _, char := range value {
		if char < ' ' || char >= 0x7f {
			return false
		}
	}
	return true
}

func isHost(host []byte) bool {
	for _, char := range host {
		if !isLetterOrDigit(char) && !strings.ContainsRune("-._:[]", rune(char)) {
			return false
		}
	}
	return len(host) > 0
}

func isLetterOrDigit(char byte) bool {
	return 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z' || '0' <= char && char <= '9'
}

// concernsConnection says whether a header changes where the request ends or
// what becomes of the connection (RFC 9110 7.6, 8.6, 10.1.1; RFC 9112 6).
func concernsConnection(name []byte) bool {
	for _, one := range [...]string{"Connection", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "TE"} {
		if strings.EqualFold(one, string(name)) {
			return true
		}
	}
	return false
}
