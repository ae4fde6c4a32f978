// Reads a log of ours with the Go libraries alone: signature, cosignature, every entry against every tile, one proof each.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	dir, logKey, witnessKey := os.Args[1], os.Args[2], os.Args[3]
	signed := must(os.ReadFile(filepath.Join(dir, "checkpoint")))
	verifier := must(note.NewVerifier(logKey))
	witness := must(torchwood.NewCosignatureVerifier(witnessKey))
	opened := must(note.Open(signed, note.VerifierList(verifier, witness)))
	if len(opened.Sigs) != 2 {
		must(0, fmt.Errorf("%d of 2 signatures", len(opened.Sigs)))
	}
	checkpoint := must(torchwood.ParseCheckpoint(opened.Text))
	hashes := tlog.TileHashReader(checkpoint.Tree, folder(dir))
	n := int64(0)
	for n < checkpoint.N {
		width := min(checkpoint.N-n, 256)
		path := fmt.Sprintf("tile/entries/%03d", n/256)
		if width < 256 {
			path += fmt.Sprintf(".p/%d", width)
		}
		bundle := must(os.ReadFile(filepath.Join(dir, path)))
		for ; width > 0; width, n = width-1, n+1 {
			length := binary.BigEndian.Uint16(bundle)
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			leaf := tlog.RecordHash(entry)
			stored := must(hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)}))
			if stored[0] != leaf {
				must(0, fmt.Errorf("entry %d is not in the tiles", n))
			}
			proof := must(tlog.ProveRecord(checkpoint.N, n, hashes))
			must(0, tlog.CheckRecord(proof, checkpoint.N, checkpoint.Hash, n, leaf))
		}
		if len(bundle) != 0 {
			must(0, fmt.Errorf("%d bytes behind the last entry", len(bundle)))
		}
	}
	fmt.Println("read", n)
}
