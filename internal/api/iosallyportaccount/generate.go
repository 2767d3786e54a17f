package iosallyportaccount

//go:generate go run github.com/varlink/go/cmd/varlink-go-interface-generator io.sallyport.Account.varlink
