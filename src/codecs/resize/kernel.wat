;; The two passes of a resize, with fixed-point weights: each adds up, for every place of the result, bytes of the source
;; times their weights, halves included, and rounds to a byte. Wasm has no threads here; four sums run side by side.
;; `first`, `ends` and `weights` are those of `kernels` in squash.ts: 32-bit numbers, `ends` counted in weights.
(module
  (memory (export "memory") 1)

  ;; RGB pixels of `lines` rows, `stride` bytes apart, to rows of `size` pixels. Reads a byte behind the last pixel and
  ;; writes one behind the last.
  (func (export "alongRows")
    (param $from i32) (param $lines i32) (param $stride i32) (param $to i32) (param $size i32)
    (param $first i32) (param $ends i32) (param $weights i32)
    (local $place i32) (local $at i32) (local $weight i32) (local $end i32) (local $sums v128)
    (loop $line
      (local.set $weight (local.get $weights))
      (local.set $place (i32.const 0))
      (loop $places
        (local.set $at (i32.add (local.get $from)
          (i32.mul (i32.const 3) (i32.load (i32.add (local.get $first) (local.get $place))))))
        (local.set $end (i32.add (local.get $weights)
          (i32.shl (i32.load (i32.add (local.get $ends) (local.get $place))) (i32.const 2))))
        (local.set $sums (i32x4.splat (i32.const 0x200000)))
        (loop $taps
          (local.set $sums (i32x4.add (local.get $sums) (i32x4.mul
            (v128.load32_splat (local.get $weight))
            (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at)))))))
          (local.set $at (i32.add (local.get $at) (i32.const 3)))
          (br_if $taps (i32.lt_u
            (local.tee $weight (i32.add (local.get $weight) (i32.const 4)))
            (local.get $end))))
        (local.set $sums (i32x4.shr_s (local.get $sums) (i32.const 22)))
        (local.set $sums (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
        (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sums) (local.get $sums)))
        (local.set $to (i32.add (local.get $to) (i32.const 3)))
        (br_if $places (i32.lt_u
          (local.tee $place (i32.add (local.get $place) (i32.const 4)))
          (i32.shl (local.get $size) (i32.const 2)))))
      (local.set $from (i32.add (local.get $from) (local.get $stride)))
      (br_if $line (local.tee $lines (i32.sub (local.get $lines) (i32.const 1))))))

  ;; Rows of `stride` bytes to `size` rows of as many. Reads and writes up to 15 bytes behind the last row.
  (func (export "alongColumns")
    (param $from i32) (param $stride i32) (param $to i32) (param $size i32)
    (param $first i32) (param $ends i32) (param $weights i32)
    (local $place i32) (local $x i32) (local $at i32) (local $weight i32) (local $start i32) (local $end i32)
    (local $bytes v128) (local $half v128) (local $w v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $start (local.get $weights))
    (loop $places
      (local.set $end (i32.add (local.get $weights)
        (i32.shl (i32.load (i32.add (local.get $ends) (local.get $place))) (i32.const 2))))
      (local.set $x (i32.const 0))
      (loop $columns
        (local.set $at (i32.add (i32.add (local.get $from) (local.get $x))
          (i32.mul (local.get $stride) (i32.load (i32.add (local.get $first) (local.get $place))))))
        (local.set $weight (local.get $start))
        (local.set $a (i32x4.splat (i32.const 0x200000)))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (loop $taps
          (local.set $w (v128.load32_splat (local.get $weight)))
          (local.set $bytes (v128.load (local.get $at)))
          (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
          (local.set $a (i32x4.add (local.get $a)
            (i32x4.mul (local.get $w) (i32x4.extend_low_i16x8_u (local.get $half)))))
          (local.set $b (i32x4.add (local.get $b)
            (i32x4.mul (local.get $w) (i32x4.extend_high_i16x8_u (local.get $half)))))
          (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
          (local.set $c (i32x4.add (local.get $c)
            (i32x4.mul (local.get $w) (i32x4.extend_low_i16x8_u (local.get $half)))))
          (local.set $d (i32x4.add (local.get $d)
            (i32x4.mul (local.get $w) (i32x4.extend_high_i16x8_u (local.get $half)))))
          (local.set $at (i32.add (local.get $at) (local.get $stride)))
          (br_if $taps (i32.lt_u
            (local.tee $weight (i32.add (local.get $weight) (i32.const 4)))
            (local.get $end))))
        (v128.store (i32.add (local.get $to) (local.get $x)) (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
        (br_if $columns (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 16)))
          (local.get $stride))))
      (local.set $start (local.get $end))
      (local.set $to (i32.add (local.get $to) (local.get $stride)))
      (br_if $places (i32.lt_u
        (local.tee $place (i32.add (local.get $place) (i32.const 4)))
        (i32.shl (local.get $size) (i32.const 2)))))))
