<?php
/**
 * Mobile numbers of Iran, in whatever form people write them.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Reads numbers. Nothing here knows WordPress.
 */
final class Peyk_Numbers {

	/** Characters that a text with a number may have: more is no number, and is not worth reading. */
	const LENGTH_MAX = 64;

	/**
	 * Persian and Arabic-Indic digits as 0-9.
	 *
	 * @param string $text Any text.
	 */
	public static function latin_digits( $text ) {
		$digits = array();
		foreach ( array( '۰۱۲۳۴۵۶۷۸۹', '٠١٢٣٤٥٦٧٨٩' ) as $set ) {
			foreach ( preg_split( '//u', $set, -1, PREG_SPLIT_NO_EMPTY ) as $value => $digit ) {
				$digits[ $digit ] = (string) $value;
			}
		}
		return strtr( (string) $text, $digits );
	}

	/**
	 * A mobile number as `+98` and ten digits; an empty text for what is none.
	 *
	 * @param string $text Such as `0912 111 1111`, `+98…`, `۰۹۱۲…`.
	 */
	public static function mobile( $text ) {
		$text = (string) $text;
		if ( strlen( $text ) > self::LENGTH_MAX ) {
			return '';
		}
		// Blanks, brackets, dashes, and the marks of direction that come along when a number is copied.
		$text = preg_replace( '/[\s().\-\x{2010}-\x{2015}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{00A0}]+/u', '', self::latin_digits( $text ) );
		$matches = preg_match( '/^(?:\+98|0098|098|98|0)?(9[0-9]{9})$/D', (string) $text, $found );
		return 1 === $matches ? '+98' . $found[1] : '';
	}

	/**
	 * The different mobile numbers of a list; what is none is left out.
	 *
	 * @param string|string[] $list Numbers, or a text with one on each line, or with commas between them.
	 * @return string[]
	 */
	public static function mobiles( $list ) {
		$items   = is_array( $list ) ? $list : preg_split( '/[,;،؛\r\n]+/u', (string) $list );
		$mobiles = array_map( array( __CLASS__, 'mobile' ), array_filter( (array) $items, 'is_scalar' ) );
		return array_values( array_unique( array_filter( $mobiles ) ) );
	}
}
