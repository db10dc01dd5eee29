<?php
/**
 * Dates as people read them: in Persian by the solar calendar of Iran.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * WordPress knows the Gregorian calendar alone.
 */
final class Peyk_Dates {

	/** 1 Farvardin 1300, from which years are counted. */
	const FIRST_DAY  = '1921-03-21';
	const FIRST_YEAR = 1300;

	/** The last year for which the cycle of leap years below holds. */
	const LAST_YEAR = 1633;

	/** Leap years by their place in a cycle of 33. */
	const LEAP_PLACES = array( 1, 5, 9, 13, 17, 22, 26, 30 );

	/**
	 * A moment in the time zone of the site.
	 *
	 * @param int    $timestamp Seconds since 1970.
	 * @param string $locale    Such as `fa_IR`.
	 * @param string $time      A format for the time of day behind the date, or an empty text.
	 */
	public static function show( $timestamp, $locale, $time = '' ) {
		$moment = ( new DateTimeImmutable( '@' . (int) $timestamp ) )->setTimezone( wp_timezone() );
		$solar  = 0 === strpos( $locale, 'fa' ) ? self::solar( $moment ) : null;
		$date   = null === $solar ? wp_date( get_option( 'date_format' ), (int) $timestamp ) : vsprintf( '%04d/%02d/%02d', $solar );
		return '' === $time ? $date : $date . ' ' . $moment->format( $time );
	}

	/**
	 * Year, month and day by the solar calendar; null outside the years that are known.
	 *
	 * @param DateTimeImmutable $moment A moment in the zone that counts.
	 * @return int[]|null
	 */
	public static function solar( DateTimeImmutable $moment ) {
		$zone  = new DateTimeZone( 'UTC' );
		$first = new DateTimeImmutable( self::FIRST_DAY, $zone );
		$day   = new DateTimeImmutable( $moment->format( 'Y-m-d' ), $zone );
		$left  = (int) $first->diff( $day )->format( '%r%a' );
		for ( $year = self::FIRST_YEAR; $left >= 0 && $year <= self::LAST_YEAR; ++$year ) {
			$days = in_array( $year % 33, self::LEAP_PLACES, true ) ? 366 : 365;
			if ( $left < $days ) {
				// Six months of 31 days, then months of 30.
				return $left < 186
					? array( $year, intdiv( $left, 31 ) + 1, $left % 31 + 1 )
					: array( $year, intdiv( $left - 186, 30 ) + 7, ( $left - 186 ) % 30 + 1 );
			}
			$left -= $days;
		}
		return null;
	}
}
