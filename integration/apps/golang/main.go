// A server that is the only file of its image.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

var version = "unknown"

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "version %s as %d with %v\n", version, os.Getuid(), os.Args[1:])
	})
	log.Print("listening on 8080")
	log.Fatal(http.ListenAndServe(":8080", nil))
}
