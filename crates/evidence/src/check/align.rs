//! Where in a file of pictures each sealed chunk stands, so that what is wrong can be named: taken out, moved, repeated,
//! changed.

use std::collections::{HashMap, HashSet};

/// What became of one chunk in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Its pictures stand where they belong.
    Right,
    /// They stand elsewhere.
    Moved,
    /// They stand there more than once.
    Repeated,
    /// At their place stand as many bytes of each picture, others.
    OtherBytes,
    /// At their place stand other pictures.
    Other,
    Missing,
}

/// The verdict on a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alignment {
    /// In the order of the chunks: the place, and the first picture's number in the file where it is there.
    pub places: Vec<(Place, Option<usize>)>,
    /// Pictures that belong to no chunk and stand at no chunk's place.
    pub foreign: u64,
}

/// Chunks, each with the sizes of its pictures, against the sizes in the file; `is_sealed(chunk, first picture)` says whether
/// those pictures are the chunk's, byte for byte.
pub fn align(chunks: &[Vec<u32>], file: &[u32], mut is_sealed: impl FnMut(usize, usize) -> bool) -> Alignment {
    let mut at = 0;
    let mut places = Vec::with_capacity(chunks.len());
    // in a sound file each chunk follows the one before
    for (index, sizes) in chunks.iter().enumerate() {
        if !(has(file, at, sizes) && is_sealed(index, at)) {
            break;
        }
        places.push((Place::Right, Some(at)));
        at += sizes.len();
    }
    if places.len() == chunks.len() && at == file.len() {
        return Alignment { places, foreign: 0 };
    }
    named(chunks, file, is_sealed)
}

/// The slow way, for a file that is not sound: every chunk is looked for everywhere.
fn named(chunks: &[Vec<u32>], file: &[u32], mut is_sealed: impl FnMut(usize, usize) -> bool) -> Alignment {
    let mut by_size: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, size) in file.iter().enumerate() {
        by_size.entry(*size).or_default().push(index);
    }
    let mut found: Vec<Vec<usize>> = Vec::with_capacity(chunks.len());
    let mut taken: HashSet<usize> = HashSet::new();
    for (index, sizes) in chunks.iter().enumerate() {
        let first = sizes.first().and_then(|size| by_size.get(size));
        let candidates = first.into_iter().flatten().copied().filter(|at| has(file, *at, sizes));
        let places: Vec<usize> = candidates.filter(|at| is_sealed(index, *at)).collect();
        places.iter().for_each(|at| taken.extend(*at..*at + sizes.len()));
        found.push(places);
    }
    let in_order = rising(&found);
    let mut alignment = Alignment::default();
    let mut next = 0;
    for (index, sizes) in chunks.iter().enumerate() {
        let here = found[index].first().copied();
        let place = match here {
            Some(_) if found[index].len() > 1 => Place::Repeated,
            Some(_) if !in_order[index] => Place::Moved,
            Some(_) => Place::Right,
            None => stands_in(file, &mut taken, next, sizes),
        };
        if let (Place::Right | Place::Repeated, Some(at)) = (place, here) {
            next = at + sizes.len();
        } else if matches!(place, Place::OtherBytes | Place::Other) {
            next += sizes.len();
        }
        alignment.places.push((place, here));
    }
    alignment.foreign = (0..file.len()).filter(|picture| !taken.contains(picture)).count() as u64;
    alignment
}

/// What stands where a chunk that is nowhere belongs; that counts as its place from here on.
fn stands_in(file: &[u32], taken: &mut HashSet<usize>, at: usize, sizes: &[u32]) -> Place {
    let free = |picture: &usize| *picture < file.len() && !taken.contains(picture);
    let there: Vec<usize> = (at..at + sizes.len()).take_while(free).collect();
    let place = match there.len() {
        0 => Place::Missing,
        all if all == sizes.len() && has(file, at, sizes) => Place::OtherBytes,
        _ => Place::Other,
    };
    taken.extend(there);
    place
}

fn has(file: &[u32], at: usize, sizes: &[u32]) -> bool {
    file.get(at..).and_then(|rest| rest.get(..sizes.len())).is_some_and(|there| there == sizes)
}

/// Which of the chunks that were found stand in order: the most that rise together, so that one chunk that was moved is
/// named and not all those that it passed.
fn rising(found: &[Vec<usize>]) -> Vec<bool> {
    // patience sorting: `ends[n]` is the chunk with the least place that ends a rising run of n + 1
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), vec![None; found.len()]);
    for (index, places) in found.iter().enumerate() {
        let Some(at) = places.first() else { continue };
        let run = ends.partition_point(|end: &usize| found[*end][0] < *at);
        before[index] = run.checked_sub(1).map(|run| ends[run]);
        match ends.get_mut(run) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut is_rising = vec![false; found.len()];
    let mut at = ends.last().copied();
    while let Some(index) = at {
        is_rising[index] = true;
        at = before[index];
    }
    is_rising
}

#[cfg(test)]
mod tests {
    use super::*;
    use Place::{Missing, Moved, Other, OtherBytes, Repeated, Right};

    /// Pictures are numbers; a chunk is those of one ten: 10, 11, 12 belong together. Size and content are the same thing
    /// but for 1,000: of the size of the picture it stands for.
    fn places(file: &[u32]) -> (Vec<Place>, u64) {
        let chunks: Vec<Vec<u32>> = vec![vec![10, 11], vec![20, 21], vec![30, 31, 32], vec![40]];
        let sizes: Vec<u32> = file.iter().map(|picture| picture % 1_000).collect();
        let alignment = align(&chunks, &sizes, |chunk, at| file[at..at + chunks[chunk].len()] == chunks[chunk][..]);
        (alignment.places.iter().map(|(place, _)| *place).collect(), alignment.foreign)
    }

    #[test]
    fn each_way_to_tamper_has_its_name() {
        let sound = [10, 11, 20, 21, 30, 31, 32, 40];
        assert_eq!(places(&sound), (vec![Right; 4], 0));
        assert_eq!(places(&[10, 11, 30, 31, 32, 40]), (vec![Right, Missing, Right, Right], 0));
        assert_eq!(places(&[20, 21, 30, 31, 32, 40]), (vec![Missing, Right, Right, Right], 0));
        assert_eq!(places(&[10, 11, 20, 21, 30, 31, 32]), (vec![Right, Right, Right, Missing], 0));
        assert_eq!(places(&[10, 11, 30, 31, 32, 20, 21, 40]), (vec![Right, Moved, Right, Right], 0));
        assert_eq!(places(&[10, 11, 20, 21, 20, 21, 30, 31, 32, 40]), (vec![Right, Repeated, Right, Right], 0));
        assert_eq!(places(&[10, 11, 1_020, 21, 30, 31, 32, 40]), (vec![Right, OtherBytes, Right, Right], 0));
        assert_eq!(places(&[10, 11, 20, 22, 30, 31, 32, 40]), (vec![Right, Other, Right, Right], 0));
        assert_eq!(places(&[10, 11, 20, 30, 31, 32, 40]), (vec![Right, Other, Right, Right], 0));
        assert_eq!(places(&[10, 11, 20, 21, 30, 31, 32, 40, 7, 8]), (vec![Right; 4], 2));
        assert_eq!(places(&[]), (vec![Missing; 4], 0));
    }
}
