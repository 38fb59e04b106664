package request

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // photos are JPEG or PNG
	_ "image/png"

	"fido-emu/identity/credential"
)

// Quality is how good a source photo is.
type Quality string

// Qualities. A photo of low quality cannot be checked against.
const (
	High   Quality = "HIGH"
	Medium Quality = "MEDIUM"
	Low    Quality = "LOW"
)

// What a photo must have ("Using Face Check with Verified ID", requirements for the
// photo), and how sharp it must be.
const (
	minPhotoSide  = 200     // pixels
	minPhotoBytes = 1 << 10 // 1 KB
	maxPhotoSide  = 2048    // pixels: more is no photo in a credential
	mediumSharp   = 8.0     // mean square of the Laplacian, of 8-bit grey
	highSharp     = 30.0    // the same
	analysedSide  = 1 << 9  // pixels that are looked at in each direction
)

// checkFace compares a capture with the photo in a claim. What fails is *rejected, and
// tells no score.
func (s *Service) checkFace(ctx context.Context, f *FaceCheck, claims credential.Claims, capture []byte) (*FaceCheckResult, error) {
	refuse := func(format string, args ...any) (*FaceCheckResult, error) {
		return nil, &rejected{ClaimValidationError, fmt.Sprintf(format, args...)}
	}
	photo, err := claims.Photo(f.SourcePhotoClaimName)
	if err != nil {
		return refuse("The source photo cannot be used: %v.", err)
	}
	quality, err := MeasurePhoto(photo)
	if err != nil {
		return refuse("The source photo cannot be used: %v.", err)
	}
	if quality == Low {
		return refuse("The quality of the source photo is too low.")
	}
	if len(capture) == 0 {
		return refuse("The wallet did not perform the Face Check.")
	}
	match, err := s.config.Faces.Match(ctx, capture, photo)
	switch {
	case err != nil:
		return nil, &rejected{TransientError, "The Face Check could not be performed: " + err.Error()}
	case !match.Live:
		return refuse("The liveness check failed.")
	case match.Score < float64(f.threshold()):
		return refuse("Match confidence score failing to meet the threshold.")
	}
	return &FaceCheckResult{MatchConfidenceScore: match.Score, SourcePhotoQuality: string(quality)}, nil
}

// MeasurePhoto judges a photo, a JPEG or a PNG, by its own pixels: its size, and how
// sharp its edges are. A photo that is too small, or none, is an error.
func MeasurePhoto(photo []byte) (Quality, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(photo))
	switch {
	case err != nil:
		return "", fmt.Errorf("it is no JPEG or PNG: %w", err)
	case size.Width < minPhotoSide || size.Height < minPhotoSide:
		return "", fmt.Errorf("it has %d by %d pixels, and %d by %d is the least", size.Width, size.Height, minPhotoSide, minPhotoSide)
	case size.Width > maxPhotoSide || size.Height > maxPhotoSide:
		return "", fmt.Errorf("it has %d by %d pixels, and %d by %d is the most", size.Width, size.Height, maxPhotoSide, maxPhotoSide)
	case len(photo) < minPhotoBytes:
		return "", fmt.Errorf("it has %d bytes, and %d is the least", len(photo), minPhotoBytes)
	}
	decoded, _, err := image.Decode(bytes.NewReader(photo))
	if err != nil {
		return "", fmt.Errorf("it is damaged: %w", err)
	}
	switch sharp := sharpness(decoded); {
	case sharp >= highSharp:
		return High, nil
	case sharp >= mediumSharp:
		return Medium, nil
	}
	return Low, nil
}

// sharpness is the mean square of the discrete Laplacian over the middle of an image:
// blur takes edges away, and with them what this measures.
func sharpness(m image.Image) float64 {
	area := middle(m.Bounds())
	grey := image.NewGray(area)
	draw.Draw(grey, area, m, area.Min, draw.Src)
	at := func(x, y int) int { return int(grey.GrayAt(x, y).Y) }
	sum, n := 0, 0
	for y := area.Min.Y + 1; y < area.Max.Y-1; y++ {
		for x := area.Min.X + 1; x < area.Max.X-1; x++ {
			l := 4*at(x, y) - at(x-1, y) - at(x+1, y) - at(x, y-1) - at(x, y+1)
			sum, n = sum+l*l, n+1
		}
	}
	return float64(sum) / float64(n)
}

// middle returns at most analysedSide pixels in each direction around the centre.
func middle(b image.Rectangle) image.Rectangle {
	dx, dy := max(0, b.Dx()-analysedSide)/2, max(0, b.Dy()-analysedSide)/2
	return image.Rect(b.Min.X+dx, b.Min.Y+dy, b.Max.X-dx, b.Max.Y-dy)
}
