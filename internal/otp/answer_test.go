package otp

import (
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	const recovery = "ABCDEFGHIJKLMNOP"
	for _, c := range []struct {
		answer string
		shape  Shape
		want   string
	}{
		{"123456", ShapeCode, "123456"},
		{"1234567", ShapeCode, "1234567"},
		{"12345678", ShapeCode, "12345678"},
		{"000000", ShapeCode, "000000"},
		{"123 456", ShapeCode, "123456"},
		{"1234 5678", ShapeCode, "12345678"},
		{"12 34 56", ShapeCode, "123456"},
		{" \t123456\r\n", ShapeCode, "123456"},

		{"ABCD-EFGH-IJKL-MNOP", ShapeRecovery, recovery},
		{"abcd-efgh-ijkl-mnop", ShapeRecovery, recovery},
		{"abcdefghijklmnop", ShapeRecovery, recovery},
		{"aBcD efgh IJKL-mnop\n", ShapeRecovery, recovery},
		{"ABCDEFGH-IJKLMNOP", ShapeRecovery, recovery},
		{"2345-6723-4567-2345", ShapeRecovery, "2345672345672345"},

		{"", ShapeNone, ""},
		{" ", ShapeNone, ""},
		{"12345", ShapeNone, ""},
		{"123456789", ShapeNone, ""},
		{"123  456", ShapeNone, ""},
		{"123-456", ShapeNone, ""},
		{"12345a", ShapeNone, ""},
		{"-123456", ShapeNone, ""},
		{"+123456", ShapeNone, ""},
		{"123456\x00", ShapeNone, ""},
		{"１２３４５６", ShapeNone, ""},
		{"٦٦٦٦٦٦", ShapeNone, ""},
		{"correct horse battery staple", ShapeNone, ""},
		{"ABCD-EFGH-IJKL-MNO", ShapeNone, ""},
		{"ABCD-EFGH-IJKL-MNOPQ", ShapeNone, ""},
		{"ABCD-EFGH-IJKL-MNO1", ShapeNone, ""},
		{"ABCD-EFGH-IJKL-MNO8", ShapeNone, ""},
		{"ABCD--EFGH-IJKL-MNOP", ShapeNone, ""},
		{"ABC-DEFG-HIJK-LMNO-P", ShapeNone, ""},
		{"-ABCD-EFGH-IJKL-MNOP", ShapeNone, ""},
		{"ABCD-EFGH-IJKL-MNOP-", ShapeNone, ""},
		{"ABCDEFGHIJKLMNOſ", ShapeNone, ""}, // its upper case is S
		{strings.Repeat("A", 512), ShapeNone, ""},
		{strings.Repeat("1", 512), ShapeNone, ""},
	} {
		if shape, got := Classify(c.answer); shape != c.shape || got != c.want {
			t.Errorf("%q: shape %d, %q; want %d, %q", c.answer, shape, got, c.shape, c.want)
		}
	}
}
