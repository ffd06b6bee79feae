"""What a run emits: with the electricity it draws, and with the making of what it runs on."""

from service.formulas.numbers import Number


def operational_kg(*, energy_kwh: Number, carbon_kg_per_kwh: Number) -> Number:
    r"""Emissions of the electricity.

    .. math:: M = E\,c

    Symbols:
        M: emissions [kg CO2e]
        E: energy at the meter of the building, `training.energy` [kWh]
        c: carbon intensity of the grid, there and then [kg CO2e/kWh]

    Limits: by location, what the grid emits. What contracts for green power change of it (by market) is another c.

    Reference: "Llama 2", table 2, https://arxiv.org/abs/2307.09288: 1,720,320 GPU-hours at 400 W, 291.42 t.

    >>> round(operational_kg(energy_kwh=1_720_320 * 0.4, carbon_kg_per_kwh=0.4235) / 1000, 2)
    291.42
    """
    return energy_kwh * carbon_kg_per_kwh


def embodied_kg(*, made_kg: Number, hours: Number, service_hours: Number, busy_share: Number = 1) -> Number:
    r"""A run's share of what making the hardware emitted.

    .. math:: M = m\,\frac{h}{H\,u}

    Symbols:
        M: emissions [kg CO2e]
        m: emissions of making the hardware the run holds [kg CO2e]
        h: duration [hours]
        H: hours of service [hours]; above 0
        u: hours the hardware is in use, over hours [1]; above 0; idle hours are borne by the busy ones

    Limits: spread evenly over the hours of service.

    Reference: the Software Carbon Intensity specification, total embodied emissions × time reserved over expected
    lifespan, as quoted in https://www.cloudcarbonfootprint.org/docs/embodied-emissions (read 2026-11-23).

    >>> embodied_kg(made_kg=1200, hours=876.6, service_hours=35064, busy_share=0.5)
    60.0
    """
    return made_kg * hours / (service_hours * busy_share)
