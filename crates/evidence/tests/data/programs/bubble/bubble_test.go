//go:build go1.25

package bubble

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go time.Sleep(time.Hour)
		go func() { select {} }()
		go func() { <-make(chan int) }()
		time.Sleep(time.Minute)
		panic("inside")
	})
}
