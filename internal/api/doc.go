// Package api holds the Varlink interfaces io.sallyport.* and, in one package each, the Go code that
// github.com/varlink/go generates from them. Change the .varlink file, run "go generate ./internal/api/...", and commit
// both. Interfaces are extended, never changed: a method or an optional parameter may come, none may go.
package api

// Version is Sallyport's.
const Version = "0.1.0"
