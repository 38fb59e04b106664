// Package person has test people as data: names as documents print them, documents
// with their defects, a face, and how well and how willingly that face is recognised.
//
// A person is a page of YAML:
//
//	id: sreejith-pillai
//	given: Sreejith            # as printed, with diacritics; left out of one-word names
//	family: Pillai             # of a one-word name: that word
//	native: ശ്രീജിത്ത് പിള്ള        # in the script of the country, where it is another
//	latin: {family: PILLAI}    # the passport's own transliteration, where it is not ICAO's
//	birth: 1987-03-09
//	sex: M                     # F, M or X
//	nationality: IND           # three letters, ICAO Doc 9303-3 section 5
//	country: IN                # of residence, two letters, ISO 3166-1
//	face: sreejith-pillai      # a face is drawn from this name
//	documents:
//	  - {kind: passport, issuer: IND, number: Z4187203, issued: 2023-05-02, expires: 2033-05-01}
//	match: {daylight: 93, dim: 78, glasses: 86, blurred: 55}
//	resembles: {sreejith: 41}  # another's face, taken for this one
//	liveness: live             # or what this person tries instead
//
// [Parse] is strict and says where a mistake stands. [Shipped] returns the people that
// come with the project.
//
// Nothing here recognises faces. A face is a drawing made from its name ([Face]), a
// [Gallery] finds by comparing pixels which drawing a picture shows, in which pose and
// under which condition, and how well two faces match is what the person's file says.
package person
