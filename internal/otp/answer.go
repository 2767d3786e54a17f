package otp

import "strings"

// Shape is what an answer to a prompt looks like.
type Shape int

const (
	ShapeNone     Shape = iota // cannot be a code: an empty line, a password
	ShapeCode                  // 6 to 8 digits
	ShapeRecovery              // a recovery code
)

// Classify says what an answer looks like, and returns it as Matches of Key or RecoveryHash takes it: digits only,
// or 16 capitals. People type what they see, so groups may be parted by a space ("123 456"; "ABCD-EFGH-IJKL-MNOP"
// also by dashes), letters may be small, and spaces around are nothing.
func Classify(answer string) (shape Shape, normalized string) {
	answer = strings.Trim(answer, " \t\r\n")
	if code, ok := classifyCode(answer); ok {
		return ShapeCode, code
	}
	if code, ok := classifyRecovery(answer); ok {
		return ShapeRecovery, code
	}
	return ShapeNone, ""
}

func classifyCode(answer string) (code string, ok bool) {
	if strings.Contains(answer, "  ") {
		return "", false
	}
	code = strings.ReplaceAll(answer, " ", "")
	if len(code) < MinDigits || len(code) > MaxDigits {
		return "", false
	}
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return code, true
}

// classifyRecovery takes a dash or a space between groups of four and nowhere else, so that few passwords look
// like a recovery code.
func classifyRecovery(answer string) (code string, ok bool) {
	parted := false
	for _, c := range []byte(answer) {
		digit, isDigit := base32Digit(c)
		switch {
		case isDigit && len(code) < recoveryLen:
			code += string(digit)
			parted = false
		case (c == '-' || c == ' ') && !parted && code != "" && len(code) < recoveryLen && len(code)%recoveryGroup == 0:
			parted = true
		default:
			return "", false
		}
	}
	return code, len(code) == recoveryLen
}
